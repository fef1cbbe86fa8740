//! A wire to a server that can be cut, swallow everything, hold up what clients send, or withhold a broker's answers: what
//! a bad network does.

mod frames;

use std::{net::SocketAddr, sync::Arc};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// The wire.
#[derive(Debug, Clone)]
pub struct Proxy {
    address: SocketAddr,
    speaks: Speech,
    is_cut: Arc<watch::Sender<bool>>,
    swallowed: Arc<watch::Sender<()>>,
    withheld: Arc<watch::Sender<bool>>,
    held_up: Arc<watch::Sender<bool>>,
}

/// What is spoken over a wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speech {
    /// Bytes are bytes.
    Anything,
    /// The server's answers are AMQP 0-9-1 frames.
    Amqp,
}

impl Proxy {
    /// A wire to any server.
    ///
    /// # Panics
    /// When there is no port for it.
    pub async fn to(server: SocketAddr) -> Self {
        Self::carrying(server, Speech::Anything).await
    }

    /// A wire to a broker, whose answers it can withhold.
    ///
    /// # Panics
    /// When there is no port for it.
    pub async fn to_broker(server: SocketAddr) -> Self {
        Self::carrying(server, Speech::Amqp).await
    }

    async fn carrying(server: SocketAddr, speaks: Speech) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("loopback has a free port");
        let proxy = Self {
            address: listener.local_addr().expect("a listener has an address"),
            speaks,
            is_cut: Arc::new(watch::Sender::new(false)),
            swallowed: Arc::new(watch::Sender::new(())),
            withheld: Arc::new(watch::Sender::new(false)),
            held_up: Arc::new(watch::Sender::new(false)),
        };
        tokio::spawn(carry(listener, server, proxy.clone()));
        proxy
    }

    /// Where clients connect.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Carries nothing more over the connections there are, and ends none of them, as a network does that lost its way.
    pub fn swallow(&self) {
        self.swallowed.send_replace(());
    }

    /// Ends every connection and refuses new ones, as a server does that is down.
    pub fn cut(&self) {
        self.is_cut.send_replace(true);
    }

    /// Carries no answers of the broker any more, heartbeats excepted: what clients send arrives, and they do not learn
    /// so.
    pub fn withhold(&self) {
        self.withheld.send_replace(true);
    }

    /// Holds up what clients send over the connections there are to a broker; it arrives when the wire is restored, if the
    /// broker still listens. Connections made meanwhile are as good as ever.
    pub fn hold_up(&self) {
        self.held_up.send_replace(true);
    }

    /// Lets everything through again. Answers withheld are lost.
    pub fn restore(&self) {
        self.withheld.send_replace(false);
        self.held_up.send_replace(false);
        self.is_cut.send_replace(false);
    }
}

async fn carry(listener: TcpListener, server: SocketAddr, wire: Proxy) {
    let mut listener = Some(listener);
    let mut changes = wire.is_cut.subscribe();
    loop {
        if *changes.borrow_and_update() {
            listener = None;
            changes
                .wait_for(|is_cut| !is_cut)
                .await
                .expect("the wire outlives this task");
        }
        let listening = match listener.take() {
            Some(listening) => listening,
            None => TcpListener::bind(wire.address)
                .await
                .expect("the port is still ours"),
        };
        tokio::select! {
            client = listening.accept() => {
                if let Ok((client, _)) = client {
                    tokio::spawn(carry_one(client, server, wire.clone()));
                }
            }
            _ = changes.changed() => {}
        }
        listener = Some(listening);
    }
}

async fn carry_one(mut client: TcpStream, server: SocketAddr, wire: Proxy) {
    let mut is_cut = wire.is_cut.subscribe();
    let mut swallowed = wire.swallowed.subscribe();
    let Ok(mut server) = TcpStream::connect(server).await else {
        return;
    };
    // What is small goes on at once: else each publish would wait for a delayed acknowledgement, on either side.
    for socket in [&client, &server] {
        let _ = socket.set_nodelay(true);
    }
    let carried = async {
        match wire.speaks {
            Speech::Anything => copy_bidirectional(&mut client, &mut server).await.map(drop),
            Speech::Amqp => {
                frames::copy(
                    &mut client,
                    &mut server,
                    wire.withheld.subscribe(),
                    wire.held_up.subscribe(),
                )
                .await
            }
        }
    };
    tokio::select! {
        _ = carried => return,
        _ = swallowed.changed() => {}
        _ = is_cut.wait_for(|is_cut| *is_cut) => return,
    }
    // Both ends stay open until the wire is cut.
    let _ = is_cut.wait_for(|is_cut| *is_cut).await;
}
