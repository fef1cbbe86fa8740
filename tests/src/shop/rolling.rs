//! Rolling a process from one version to another, as an update or its undoing does.

use super::{Role, Shop, Version};

impl Shop {
    /// Starts a process that was killed or stopped, of this version, and waits until it is ready. It is started again as
    /// the same.
    ///
    /// # Panics
    /// When it does not become ready.
    pub async fn start_as(&self, role: Role, version: Version) {
        self.versions
            .lock()
            .expect("nothing panics while it holds the versions")
            .insert(role, version);
        self.start_again(role).await;
    }

    /// The version a process is to be of.
    pub(super) fn version(&self, role: Role) -> Version {
        let versions = self.versions.lock();
        let versions = versions.expect("nothing panics while it holds the versions");
        versions.get(&role).copied().unwrap_or_default()
    }
}
