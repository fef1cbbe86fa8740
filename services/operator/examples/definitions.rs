//! Prints the definitions of the custom resources, as the chart ships them.

fn main() {
    print!("{}", operator::definitions());
}
