//! A server process, and a plain client for it.

use std::io::{BufRead, BufReader};
use std::ops::Deref;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use serde_json::Value;

use super::client::Client;

/// A running `smartpush serve`, killed when dropped.
pub struct Server {
    child: Child,
    client: Client,
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
        Server { child, client: Client::of(address) }
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
}

impl Deref for Server {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
