//! The cart, and what overlapping requests make of it.

use crate::support::overlap;
use crate::{signed_in, start};

#[tokio::test]
async fn the_cart_comes_along_when_somebody_signs_in() {
    let (_program, mut client, _folder) = start().await;
    client.submit("/cart/add", &[("product", "Honey")]).await;
    client.submit("/cart/add", &[("product", "Honey")]).await;
    client.submit("/cart/add", &[("product", "Bread")]).await;
    client.submit("/cart/remove", &[("product", "Bread")]).await;
    client.submit("/cart/remove", &[("product", "Bread")]).await;
    client.submit("/cart/add", &[("product", "Nothing of ours")]).await;
    let page = client.submit("/sign-in", &[("name", "Ada")]).await;
    assert_eq!(page.number_of(r#"data-product="Honey""#), 2);
    assert_eq!(page.number_of(r#"data-product="Bread""#), 0);
    assert!(page.body.contains("10.80 €"), "{}", page.body);
}

/// On memory here, on SQLite in `process`.
#[tokio::test]
async fn sixty_four_overlapping_requests_lose_nothing() {
    let (program, _, _folder) = start().await;
    let mut client = signed_in(&program, "Ada").await;
    overlap(&mut client).await;
}
