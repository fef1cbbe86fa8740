//! The roles: what each sub-command does.

pub(crate) mod all;
pub(crate) mod audit;
pub(crate) mod metrics;
pub(crate) mod migrate;
pub(crate) mod openapi;
pub(crate) mod operate;
pub(crate) mod operator;
pub(crate) mod order;
pub(crate) mod payment;
pub(crate) mod relay;
pub(crate) mod smoke;
pub(crate) mod web;
