//! A plain HTTP client for a server under test.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Nothing in a test takes longer; a server that hangs fails the test instead of blocking it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client of one server.
pub struct Client {
    pub address: SocketAddr,
    agent: ureq::Agent,
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub content_type: String,
    pub etag: Option<String>,
    pub text: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The code at the end of a problem's type; panics when this is no problem as RFC 9457 wants it.
    pub fn problem(&self) -> String {
        assert_eq!(self.content_type, "application/problem+json", "{self:?}");
        let body = self.json();
        assert_eq!(body["status"], self.status, "{self:?}");
        assert!(!body["title"].as_str().unwrap().is_empty() && body["detail"].is_string(), "{self:?}");
        body["type"].as_str().unwrap().strip_prefix("/problems/").unwrap().to_string()
    }

    /// The pointers of a problem's errors.
    pub fn pointers(&self) -> Vec<String> {
        let errors = self.json()["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| error["pointer"].as_str().unwrap().to_string()).collect()
    }
}

impl Client {
    /// A client of the server at an address.
    pub fn of(address: SocketAddr) -> Client {
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE));
        Client { address, agent: config.build().into() }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn get(&self, path: &str) -> Reply {
        reply(self.agent.get(self.url(path)).call())
    }

    pub fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let mut request = self.agent.post(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        reply(request.send(body))
    }

    /// A request of any method.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let mut request = ureq::http::Request::builder().method(method).uri(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        reply(self.agent.run(request.body(body.to_vec()).unwrap()))
    }

    /// Status, content type and bytes.
    pub fn get_bytes(&self, path: &str) -> (u16, String, Vec<u8>) {
        let mut response = self.agent.get(self.url(path)).call().unwrap();
        let content_type = header(&response, "content-type").unwrap_or_default();
        (response.status().as_u16(), content_type, response.body_mut().read_to_vec().unwrap())
    }

    /// Asks for one decision.
    pub fn ask(&self, question: &Value) -> Reply {
        self.ask_text(&question.to_string())
    }

    pub fn ask_text(&self, text: &str) -> Reply {
        self.post("/v1/decisions", &[("content-type", "application/json")], text.as_bytes())
    }

    /// Asks for a user's decision, which must be given.
    pub fn decide(&self, user_id: &str) -> Value {
        let reply = self.ask(&json!({ "user_id": user_id }));
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()
    }

    /// Sends raw bytes and reads until the server closes the connection; the time that took with it.
    pub fn raw(&self, bytes: &[u8]) -> (String, Duration) {
        let mut stream = self.connect();
        let watch = Instant::now();
        stream.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        // A connection that is reset is closed too.
        let _ = stream.read_to_end(&mut answer);
        (String::from_utf8_lossy(&answer).into_owned(), watch.elapsed())
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Waits until `is_so` holds, asking again and again.
    pub fn wait_until(&self, is_so: impl Fn(&Client) -> bool) {
        let watch = Instant::now();
        while !is_so(self) {
            assert!(watch.elapsed() < PATIENCE, "it did not come to pass");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn reply(result: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Reply {
    let mut response = result.unwrap();
    let content_type = header(&response, "content-type").unwrap_or_default();
    let etag = header(&response, "etag");
    let text = response.body_mut().read_to_string().unwrap();
    Reply { status: response.status().as_u16(), content_type, etag, text }
}

fn header(response: &ureq::http::Response<ureq::Body>, name: &str) -> Option<String> {
    Some(response.headers().get(name)?.to_str().unwrap().to_string())
}
