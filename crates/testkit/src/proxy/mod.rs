//! A proxy before a server, for tests of what goes wrong between it and a client: it passes requests on byte
//! for byte, counts them, and does to them what a test says.

mod exchange;
mod request;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

pub use request::{Fault, Kind, Request};

use crate::wire::Head;

/// What a test says of a request: what happens to it, or nothing.
type Script = Arc<dyn Fn(&Request) -> Option<Fault> + Send + Sync>;

/// A proxy on a port of 127.0.0.1, until it is dropped: then its connections end.
pub struct Proxy {
    shared: Arc<Shared>,
    address: SocketAddr,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    upstream: String,
    /// Held while it is asked, so that it is asked in order. Never taken by whoever has the state.
    script: Mutex<Script>,
    state: Mutex<State>,
    /// Told when more requests are under way than ever, and at the end.
    changed: Condvar,
}

struct State {
    latency: Duration,
    requests: Vec<Request>,
    at_once: usize,
    most_at_once: usize,
    /// Bytes of the bodies that were passed on: to the server, and from it.
    sent: u64,
    received: u64,
    /// Connections of clients, so that the end of the proxy ends them.
    clients: HashMap<usize, TcpStream>,
    ended: bool,
}

impl Proxy {
    /// Starts one before the server at this host and port. It passes everything on.
    pub fn new(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = State {
            latency: Duration::ZERO,
            requests: Vec::new(),
            at_once: 0,
            most_at_once: 0,
            sent: 0,
            received: 0,
            clients: HashMap::new(),
            ended: false,
        };
        let shared = Arc::new(Shared {
            upstream: upstream.to_owned(),
            script: Mutex::new(Arc::new(|_| None)),
            state: Mutex::new(state),
            changed: Condvar::new(),
        });
        let accepting = {
            let shared = Arc::clone(&shared);
            Builder::new().spawn(move || accept(&listener, &shared)).unwrap()
        };
        Self { shared, address, accepting: Some(accepting) }
    }

    /// Its host and port.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Has a script decide from now on what happens to each request. It is asked for one request after
    /// another, in the order of [`Proxy::requests`]. What was under way at once before is forgotten.
    pub fn inject(&self, script: impl Fn(&Request) -> Option<Fault> + Send + Sync + 'static) {
        *entered(&self.shared.script) = Arc::new(script);
        let mut state = self.shared.state();
        state.most_at_once = state.at_once;
    }

    /// Has every request wait so long before anything else happens to it, as if the server were far away.
    pub fn set_latency(&self, latency: Duration) {
        self.shared.state().latency = latency;
    }

    /// All requests that came, in the order in which they did.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.state().requests.clone()
    }

    /// How many requests came with this method and of this kind.
    pub fn count(&self, method: &str, kind: Kind) -> usize {
        let state = self.shared.state();
        state.requests.iter().filter(|request| request.is(method, kind)).count()
    }

    /// The highest number of requests that were under way at once, since the script was set.
    pub fn most_at_once(&self) -> usize {
        self.shared.state().most_at_once
    }

    /// How many bytes of bodies, with what is around their chunks, went to the server.
    pub fn bytes_sent(&self) -> u64 {
        self.shared.state().sent
    }

    /// How many bytes of bodies, with what is around their chunks, came from the server.
    pub fn bytes_received(&self) -> u64 {
        self.shared.state().received
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.end();
        // Whoever waits for a connection gets one, and sees that this is the end.
        drop(TcpStream::connect(self.address));
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

/// Serves every connection on a thread of its own.
fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for (number, client) in listener.incoming().enumerate() {
        let Ok(client) = client else { continue };
        if !shared.admit(number, &client) {
            return;
        }
        let connection = Connection { shared: Arc::clone(shared), number, client };
        let serve = move || {
            // Where the client has gone, or the server, the connection ends, which tells the other one.
            let _ = exchange::serve(&connection.shared, &connection.client);
        };
        Builder::new().spawn(serve).unwrap();
    }
}

/// A connection that is served. It ends with this value, even if a script panics.
struct Connection {
    shared: Arc<Shared>,
    number: usize,
    client: TcpStream,
}

impl Drop for Connection {
    fn drop(&mut self) {
        let _ = self.client.shutdown(Shutdown::Both);
        self.shared.state().clients.remove(&self.number);
    }
}

/// What a mutex has, even if someone panicked with it: the test still wants to see what came.
fn entered<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        entered(&self.state)
    }

    /// Whether a connection is served: not after the end.
    fn admit(&self, number: usize, client: &TcpStream) -> bool {
        let mut state = self.state();
        if let Ok(client) = client.try_clone() {
            state.clients.insert(number, client);
        }
        !state.ended
    }

    fn end(&self) {
        let mut state = self.state();
        state.ended = true;
        for client in state.clients.values() {
            let _ = client.shutdown(Shutdown::Both);
        }
        self.changed.notify_all();
    }

    /// Takes a request down, and asks the script about it.
    fn enter(self: &Arc<Self>, head: Head) -> (Running, Request, Option<Fault>) {
        let script = entered(&self.script);
        let mut state = self.state();
        let request = Request::new(head, &state.requests);
        state.requests.push(request.clone());
        state.at_once += 1;
        if state.at_once > state.most_at_once {
            state.most_at_once = state.at_once;
            self.changed.notify_all();
        }
        drop(state);
        let running = Running(Arc::clone(self));
        let fault = script(&request);
        drop(script);
        (running, request, fault)
    }

    fn latency(&self) -> Duration {
        self.state().latency
    }

    fn count_bytes(&self, sent: usize, received: usize) {
        let mut state = self.state();
        state.sent += sent as u64;
        state.received += received as u64;
    }

    /// Waits until so many requests are under way, or were.
    fn gather(&self, number: usize) -> io::Result<()> {
        let mut state = self.state();
        while state.most_at_once < number && !state.ended {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.ended { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }
}

/// A request that is under way.
struct Running(Arc<Shared>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.state().at_once -= 1;
    }
}
