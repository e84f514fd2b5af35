//! Single decisions over HTTP beside a bare axum handler that answers with as many bytes, in the same run.
//!
//! `cargo bench --bench serve [-- SECONDS CLIENTS]`: the real binary serves the sample with a trained model; as many clients as asked for keep
//! one connection each and ask one question after the other. Both servers are asked in turn, so that whatever else the
//! machine does falls on both.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::http::header;
use axum::routing::post;

/// The sample ends on the last day of 2017.
const NOW: &str = "2018-01-01T17:00:00Z";
const ROUNDS: usize = 3;
const USERS: usize = 200;

fn main() {
    // cargo hands `--bench` on to whatever it runs.
    let mut numbers = std::env::args().skip(1).filter_map(|argument| argument.parse().ok());
    let (seconds, clients) = (numbers.next().unwrap_or(5), numbers.next().unwrap_or(16));
    let directory = std::env::temp_dir().join(format!("smartpush-bench-{}", std::process::id()));
    let users = prepare(&directory);
    let (mut child, server) = serve(&directory);
    let questions: Vec<Vec<u8>> = users.iter().map(|user| request(user)).collect();
    let size = Client::connect(server).ask(&questions[0]);
    let bare = bare_server(size);
    println!(
        "{} users of the sample, {size} bytes an answer, {clients} clients, {seconds} s a round",
        users.len()
    );
    for clients in [1, clients] {
        compare(&questions, clients, Duration::from_secs(seconds as u64), server, bare);
    }
    let log = directory.join("data/decisions/log");
    let bytes: u64 = fs::read_dir(log)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|file| Some(file.metadata().ok()?.len()))
        .sum();
    println!("decision log: {:.1} MB", bytes as f64 / 1e6);
    let _ = child.kill();
    let _ = child.wait();
    let _ = fs::remove_dir_all(directory);
}

/// Asks both in turn and prints the medians of the rounds.
fn compare(questions: &[Vec<u8>], clients: usize, span: Duration, server: SocketAddr, bare: SocketAddr) {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(load(server, questions, clients, span));
        theirs.push(load(bare, questions, clients, span));
    }
    let (ours, theirs) = (median(ours), median(theirs));
    for (name, figure) in [("decisions", &ours), ("bare axum", &theirs)] {
        println!(
            "{clients:>3} clients  {name}  {:>7.0} /s   median {:>6.0} µs   p99 {:>6.0} µs",
            figure.per_second, figure.median, figure.p99
        );
    }
    println!("{clients:>3} clients  ratio {:.2}", ours.per_second / theirs.per_second);
}

/// What one round gave.
struct Figure {
    per_second: f64,
    median: f64,
    p99: f64,
}

fn median(mut figures: Vec<Figure>) -> Figure {
    figures.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
    figures.swap_remove(figures.len() / 2)
}

fn load(address: SocketAddr, questions: &[Vec<u8>], clients: usize, span: Duration) -> Figure {
    let began = Instant::now();
    let mut latencies: Vec<f64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..clients)
            .map(|client| {
                scope.spawn(move || {
                    let (mut connection, mut latencies) = (Client::connect(address), Vec::new());
                    for question in questions.iter().cycle().skip(client * 7) {
                        let watch = Instant::now();
                        connection.ask(question);
                        latencies.push(watch.elapsed().as_secs_f64() * 1e6);
                        if began.elapsed() > span {
                            break;
                        }
                    }
                    latencies
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    });
    let seconds = began.elapsed().as_secs_f64();
    latencies.sort_by(f64::total_cmp);
    let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize];
    Figure { per_second: latencies.len() as f64 / seconds, median: at(0.5), p99: at(0.99) }
}

/// One kept connection.
struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    fn connect(address: SocketAddr) -> Client {
        let stream = TcpStream::connect(address).unwrap_or_else(|error| panic!("{address}: {error}"));
        stream.set_nodelay(true).unwrap_or_default();
        Client { stream, buffer: vec![0; 1 << 16] }
    }

    /// Sends a request and reads its answer; the length of its body comes back.
    fn ask(&mut self, request: &[u8]) -> usize {
        self.stream.write_all(request).unwrap_or_else(|error| panic!("{error}"));
        let (mut length, mut end) = (0, None);
        loop {
            let read = self.stream.read(&mut self.buffer[length..]).unwrap_or_else(|error| panic!("{error}"));
            assert!(read > 0, "the server has closed the connection");
            length += read;
            end = end.or_else(|| end_of(&self.buffer[..length]));
            if let Some((head, body)) = end
                && length >= head + body
            {
                assert!(
                    self.buffer.starts_with(b"HTTP/1.1 200"),
                    "{}",
                    String::from_utf8_lossy(&self.buffer[..length])
                );
                return body;
            }
        }
    }
}

/// Lengths of an answer's head and body, once its head is there.
fn end_of(bytes: &[u8]) -> Option<(usize, usize)> {
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:"))?;
    Some((head, length.trim().parse().ok()?))
}

fn request(user: &str) -> Vec<u8> {
    let body = format!("{{\"user_id\":\"{user}\"}}");
    let length = body.len();
    format!("POST /v1/decisions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
        .into_bytes()
}

/// Ingests the sample, with consent for everybody, and returns some of its users.
fn prepare(directory: &Path) -> Vec<String> {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample");
    fs::create_dir_all(directory).unwrap_or_else(|error| panic!("{error}"));
    let ids = fs::read_to_string(sample.join("users.csv")).unwrap_or_default();
    let ids: Vec<String> =
        ids.lines().skip(1).filter_map(|line| line.split(',').next()).map(str::to_string).collect();
    let consent: String = ids.iter().map(|id| format!("{id},granted\n")).collect();
    let agreed = directory.join("consent.csv");
    fs::write(&agreed, format!("user_id,consent\n{consent}")).unwrap_or_else(|error| panic!("{error}"));
    for (kind, file) in [
        ("users", sample.join("users.csv")),
        ("users", agreed),
        ("contents", sample.join("contents.jsonl")),
        ("events", sample.join("purchases.parquet")),
    ] {
        let mut command = smartpush(directory);
        command.args(["ingest", "--kind", kind, "--time-zone", "America/New_York"]).arg(file);
        let output = command.output().unwrap_or_else(|error| panic!("{error}"));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    // Decisions by a trained model are what a gateway gets.
    let mut command = smartpush(directory);
    let output =
        command.args(["train", "--goal", "engage_24h"]).output().unwrap_or_else(|error| panic!("{error}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    ids.into_iter().take(USERS).collect()
}

fn smartpush(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_smartpush"));
    command.arg("--workspace").arg(directory);
    command
}

fn serve(directory: &Path) -> (Child, SocketAddr) {
    let mut command = smartpush(directory);
    command.args(["--json", "serve", "--listen", "127.0.0.1:0", "--now", NOW]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap_or_else(|error| panic!("{error}"));
    let mut line = String::new();
    let stdout = child.stdout.take().unwrap_or_else(|| panic!("no stdout"));
    BufReader::new(stdout).read_line(&mut line).unwrap_or_default();
    let ready: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
    let address = ready["listening"].as_str().and_then(|text| text.parse().ok());
    (child, address.unwrap_or_else(|| panic!("the server does not say where it listens: {line}")))
}

/// A server that does nothing but read the body and answer with so many bytes.
fn bare_server(size: usize) -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap_or_else(|error| panic!("{error}"));
    let address = listener.local_addr().unwrap_or_else(|error| panic!("{error}"));
    listener.set_nonblocking(true).unwrap_or_default();
    let answer = format!("{{\"x\":\"{}\"}}", "x".repeat(size.saturating_sub(8)));
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        runtime.unwrap_or_else(|error| panic!("{error}")).block_on(async move {
            let handler =
                move |_: Bytes| async move { ([(header::CONTENT_TYPE, "application/json")], answer) };
            let router: Router = Router::new().route("/v1/decisions", post(handler));
            let served = axum_server::from_tcp(listener).unwrap_or_else(|error| panic!("{error}"));
            served.serve(router.into_make_service()).await.unwrap_or_default();
        });
    });
    address
}
