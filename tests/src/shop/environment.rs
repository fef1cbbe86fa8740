//! The environment a shop's processes are started with: addresses, credentials and settings.

use super::{Role, Shop};
use crate::{BrokerUser, Login, Service};

impl Shop {
    /// What a process may know: a role's own credentials and no others.
    pub(super) fn credentials(&self, role: Role) -> Vec<(String, String)> {
        let service = |service, broker| {
            vec![
                self.database_url(service, Login::Api),
                self.database_url(service, Login::Writer),
                self.broker_url(broker),
            ]
        };
        let relay = |service| {
            vec![
                self.database_url(service, Login::Relay),
                self.broker_url(BrokerUser::Relay),
            ]
        };
        match role {
            Role::Order(_) => service(Service::Orders, BrokerUser::Service),
            Role::Payment(_) => service(Service::Payments, BrokerUser::Service),
            Role::OrdersRelay(_) => relay(Service::Orders),
            Role::PaymentsRelay(_) => relay(Service::Payments),
            Role::Web => Vec::new(),
            Role::All => [
                service(Service::Orders, BrokerUser::Service),
                service(Service::Payments, BrokerUser::Service),
                relay(Service::Orders),
                relay(Service::Payments),
            ]
            .concat(),
        }
    }

    pub(super) fn common_environment(&self) -> Vec<(String, String)> {
        let mut environment = self.secrets.clone();
        environment.extend(self.settings.iter().cloned());
        environment.push(("GOZON_PROFILE".to_owned(), "demo".to_owned()));
        environment
    }

    pub(crate) fn database_url(&self, service: Service, login: Login) -> (String, String) {
        let name = format!("GOZON_{}_{}_URL", service.name(), login.name());
        (
            name.to_uppercase(),
            self.database(service).url(login).to_owned(),
        )
    }

    pub(super) fn broker_url(&self, user: BrokerUser) -> (String, String) {
        let name = format!("GOZON_AMQP_{}_URL", user.name());
        (name.to_uppercase(), self.vhost.url(user).to_owned())
    }
}
