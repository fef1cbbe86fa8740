//! Prints the load curves as the picture in the chart's folder.

fn main() {
    print!("{}", operator::simulator::picture());
}
