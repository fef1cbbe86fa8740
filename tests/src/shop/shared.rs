//! One shop for all tests of a program that disturb nobody.

use std::{
    ops::Deref,
    sync::{Arc, Weak},
};

use tokio::sync::Mutex;

use super::Shop;

impl Shop {
    /// The shop that tests of one program share which disturb nobody, each with users of its own. It ends when no
    /// test uses it.
    pub async fn shared() -> SharedShop {
        static SHARED: Mutex<Weak<Shop>> = Mutex::const_new(Weak::new());
        let mut shared = SHARED.lock().await;
        if let Some(shop) = shared.upgrade() {
            return SharedShop(shop);
        }
        let shop = Arc::new(Self::start_all().await);
        *shared = Arc::downgrade(&shop);
        SharedShop(shop)
    }
}

/// A test's hold on the shared shop.
#[derive(Debug)]
pub struct SharedShop(Arc<Shop>);

impl Deref for SharedShop {
    type Target = Shop;

    fn deref(&self) -> &Shop {
        &self.0
    }
}

impl Drop for SharedShop {
    fn drop(&mut self) {
        // The last to let go sees them anyway, when the shop itself is dropped.
        if std::thread::panicking() && Arc::strong_count(&self.0) > 1 {
            eprintln!(
                "the logs of the shared shop end with\n{}",
                self.0.log_tails()
            );
        }
    }
}
