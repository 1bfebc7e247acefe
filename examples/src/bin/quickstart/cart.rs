//! A shopping cart: a typed value that overlapping requests change without losing each other's changes.

use std::collections::BTreeMap;

use axum::Form;
use axum::response::Redirect;
use serde::{Deserialize, Serialize};
use sessions_tower::{Key, Session, SessionRejection};

/// The cart's place in the session: its name and its type, said once.
pub(crate) const CART: Key<Cart> = Key::new("cart");

/// How many of each thing.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Cart(BTreeMap<String, u32>);

/// Something to buy.
pub(crate) struct Product {
    pub(crate) name: &'static str,
    pub(crate) cents: u32,
}

pub(crate) const SHELF: &[Product] = &[
    Product { name: "Bread", cents: 380 },
    Product { name: "Coffee", cents: 720 },
    Product { name: "Honey", cents: 540 },
];

const MOST_OF_ONE: u32 = 99;

impl Cart {
    pub(crate) fn count(&self, product: &Product) -> u32 {
        self.0.get(product.name).copied().unwrap_or(0)
    }

    pub(crate) fn cents(&self) -> u32 {
        SHELF.iter().map(|product| product.cents * self.count(product)).sum()
    }

    fn set(mut self, product: &Product, count: u32) -> Self {
        if count == 0 {
            self.0.remove(product.name);
        } else {
            self.0.insert(product.name.to_owned(), count.min(MOST_OF_ONE));
        }
        self
    }
}

#[derive(Deserialize)]
pub(crate) struct Item {
    product: String,
}

pub(crate) async fn add(session: Session, Form(item): Form<Item>) -> Result<Redirect, SessionRejection> {
    change(&session, &item, |count| count.saturating_add(1))
}

pub(crate) async fn remove(session: Session, Form(item): Form<Item>) -> Result<Redirect, SessionRejection> {
    change(&session, &item, |count| count.saturating_sub(1))
}

/// The closure runs now, and again at the commit if another request has changed the cart meanwhile: it depends on nothing
/// but the cart that it is given.
fn change(session: &Session, item: &Item, count: fn(u32) -> u32) -> Result<Redirect, SessionRejection> {
    if let Some(product) = SHELF.iter().find(|product| product.name == item.product) {
        session.update(&CART, move |cart| {
            let cart = cart.unwrap_or_default();
            let old = cart.count(product);
            cart.set(product, count(old))
        })?;
    }
    Ok(Redirect::to("/#cart"))
}
