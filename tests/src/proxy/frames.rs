//! AMQP 0-9-1 frames on their way from a broker to a client: those that tell something can be withheld while heartbeats go
//! through, so that the client knows the broker alive and hears nothing of what it sent.

use std::io::Result;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
};

/// Type, channel and size of the payload, before it (AMQP 0-9-1, section 4.2.3).
const HEAD: usize = 7;

/// The end of every frame, after its payload.
const END: usize = 1;

/// The type of a heartbeat frame.
const HEARTBEAT: u8 = 8;

/// Carries everything both ways until one end closes, except that the server's frames, but for heartbeats, are dropped
/// while they are withheld, and that what the client sends waits while it is held up, unless the connection was made
/// meanwhile.
pub(super) async fn copy(
    client: &mut TcpStream,
    server: &mut TcpStream,
    withheld: watch::Receiver<bool>,
    mut held_up: watch::Receiver<bool>,
) -> Result<()> {
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let is_new = *held_up.borrow();
    let asking = async {
        let mut bytes = vec![0; 64 * 1024];
        loop {
            let read = from_client.read(&mut bytes).await?;
            if read == 0 {
                return Ok(());
            }
            if !is_new && held_up.wait_for(|held_up| !held_up).await.is_err() {
                return Ok(());
            }
            to_server.write_all(&bytes[..read]).await?;
        }
    };
    let answering = async {
        loop {
            let mut frame = vec![0; HEAD];
            from_server.read_exact(&mut frame).await?;
            let size = u32::from_be_bytes([frame[3], frame[4], frame[5], frame[6]]);
            let size = usize::try_from(size).expect("a frame fits into memory");
            frame.resize(HEAD + size + END, 0);
            from_server.read_exact(&mut frame[HEAD..]).await?;
            if frame[0] == HEARTBEAT || !*withheld.borrow() {
                to_client.write_all(&frame).await?;
            }
        }
    };
    tokio::select! {
        asked = asking => asked,
        answered = answering => answered,
    }
}
