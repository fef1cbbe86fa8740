//! A wire to Postgres that can be cut: what the service sees when its database is away.

use std::{net::SocketAddr, sync::Arc};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// The wire.
#[derive(Clone)]
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    is_cut: Arc<watch::Sender<bool>>,
    swallowed: Arc<watch::Sender<()>>,
}

impl Proxy {
    pub(crate) async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let is_cut = Arc::new(watch::Sender::new(false));
        let proxy = Self {
            address,
            is_cut,
            swallowed: Arc::new(watch::Sender::new(())),
        };
        tokio::spawn(carry(listener, server, proxy.clone()));
        proxy
    }

    /// Carries nothing more over the connections there are, and ends none of them, as a network does that lost its way.
    pub(crate) fn swallow(&self) {
        self.swallowed.send_replace(());
    }

    /// Ends every connection and refuses new ones, as a server does that is down.
    pub(crate) fn cut(&self) {
        self.is_cut.send_replace(true);
    }

    /// Lets connections through again.
    pub(crate) fn restore(&self) {
        self.is_cut.send_replace(false);
    }
}

async fn carry(listener: TcpListener, server: SocketAddr, wire: Proxy) {
    let address = listener.local_addr().unwrap();
    let mut listener = Some(listener);
    let mut changes = wire.is_cut.subscribe();
    loop {
        if *changes.borrow_and_update() {
            listener = None;
            changes.wait_for(|is_cut| !is_cut).await.unwrap();
        }
        let listening = match listener.take() {
            Some(listening) => listening,
            None => TcpListener::bind(address).await.unwrap(),
        };
        tokio::select! {
            client = listening.accept() => {
                let (client, _) = client.unwrap();
                tokio::spawn(carry_one(client, server, wire.is_cut.subscribe(), wire.swallowed.subscribe()));
            }
            _ = changes.changed() => {}
        }
        listener = Some(listening);
    }
}

async fn carry_one(
    mut client: TcpStream,
    server: SocketAddr,
    mut is_cut: watch::Receiver<bool>,
    mut swallowed: watch::Receiver<()>,
) {
    let Ok(mut server) = TcpStream::connect(server).await else {
        return;
    };
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => return,
        _ = swallowed.changed() => {}
        _ = is_cut.wait_for(|is_cut| *is_cut) => return,
    }
    // Both ends stay open until the wire is cut.
    let _ = is_cut.wait_for(|is_cut| *is_cut).await;
}
