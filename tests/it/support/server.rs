//! A server process, and a plain client for it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Nothing in a test takes longer; a server that hangs fails the test instead of blocking it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running `smartpush serve`, killed when dropped.
pub struct Server {
    child: Child,
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

impl Server {
    /// Starts a server on a free port and waits until it is ready.
    pub fn start(workspace: &Path, arguments: &[&str]) -> Server {
        Server::start_with(workspace, arguments, &[])
    }

    /// The same with settings from the environment: `("SERVE__HEADER_TIMEOUT_SECONDS", "1")`.
    pub fn start_with(workspace: &Path, arguments: &[&str], settings: &[(&str, &str)]) -> Server {
        Server::of(&mut Self::command(workspace, arguments), settings)
    }

    /// A server that is kept in a static: nothing drops those, so a shell ends it when this process has ended and its
    /// end of the pipe is closed.
    pub fn kept(workspace: &Path, arguments: &[&str]) -> Server {
        const UNTIL_THE_PIPE_CLOSES: &str = "exec 3<&0; \"$@\" </dev/null & read -r _ <&3; kill $!";
        let served = Self::command(workspace, arguments);
        let mut command = Command::new("sh");
        command.args(["-c", UNTIL_THE_PIPE_CLOSES, "sh"]).arg(served.get_program()).args(served.get_args());
        Server::of(command.stdin(Stdio::piped()), &[])
    }

    fn command(workspace: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_smartpush"));
        command.arg("--workspace").arg(workspace).args(["serve", "--json", "--listen", "127.0.0.1:0"]);
        command.args(arguments);
        command
    }

    fn of(command: &mut Command, settings: &[(&str, &str)]) -> Server {
        for (name, value) in settings {
            command.env(format!("SMARTPUSH__{name}"), value);
        }
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        let address = ready["listening"].as_str().unwrap().parse().unwrap();
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE));
        Server { child, address, agent: config.build().into() }
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

    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
    }

    /// Waits for the process to end.
    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Stops it as an operator would.
    pub fn stop(mut self) -> ExitStatus {
        self.signal("TERM");
        self.wait()
    }

    /// Waits until `is_so` holds, asking again and again.
    pub fn wait_until(&self, is_so: impl Fn(&Server) -> bool) {
        let watch = Instant::now();
        while !is_so(self) {
            assert!(watch.elapsed() < PATIENCE, "it did not come to pass");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
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
