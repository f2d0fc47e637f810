use super::*;

#[test]
fn a_wish_is_an_address_or_off() {
    let at = |text: &str| HttpWish::At(text.parse().expect("an address"));
    assert_eq!("off".parse(), Ok(HttpWish::Off));
    assert_eq!("127.0.0.1:80".parse(), Ok(at("127.0.0.1:80")));
    assert_eq!("localhost:80".parse(), Ok(at("127.0.0.1:80")));
    assert_eq!("[::1]:0".parse(), Ok(at("[::1]:0")));
    for bad in ["", "on", "7671", "localhost", "example.com:80", "127.0.0.1"] {
        assert_eq!(bad.parse::<HttpWish>(), Err(BadWish), "{bad}");
    }
}

#[tokio::test]
async fn the_first_free_address_is_taken() {
    let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
    let first = bind_first(&[any], None).await.expect("a free port");
    let second = bind_first(&[first.address(), any], None).await.expect("another one");
    assert_ne!(second.address(), first.address());
    let none = bind_first(&[first.address(), second.address()], None).await;
    assert_eq!(none.expect_err("both are taken"), TcpError::Taken(second.address()));
}
