//! Connections to the server of a run, with the bytes counted that go over them.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::failure::Failure;
use super::plan::Target;
use super::tls::Sealer;

/// What one thread has sent and received.
#[derive(Debug, Default)]
pub struct Meter {
    /// Bytes received.
    pub received: Cell<u64>,
    /// Bytes sent.
    pub sent: Cell<u64>,
    /// Connections that came about.
    pub connections: Cell<u64>,
}

/// The server, as one thread sees it.
#[derive(Debug)]
pub struct Origin {
    target: Arc<Target>,
    sealer: Option<Sealer>,
    /// The address that answered last.
    preferred: Cell<usize>,
    /// What goes to and fro.
    pub meter: Rc<Meter>,
}

impl Origin {
    /// The server of a target.
    pub fn new(target: Arc<Target>, sealer: Option<Sealer>) -> Self {
        Self {
            target,
            sealer,
            preferred: Cell::new(0),
            meter: Rc::default(),
        }
    }

    /// Whether it is spoken to in HTTP/2.
    pub fn http2(&self) -> bool {
        self.target.http2
    }

    /// A connection that is ready for HTTP.
    ///
    /// # Errors
    /// It does not come about, or the server does not speak the protocol.
    pub async fn connect(&self) -> Result<Line, Failure> {
        let socket = self
            .socket()
            .await
            .map_err(|error| Failure::of_connecting(&error))?;
        // A request is one packet; waiting for more would only add to what is measured.
        let _ = socket.set_nodelay(true);
        let stream = match &self.sealer {
            None => Stream::Plain(socket),
            Some(sealer) => {
                let shake = sealer.connector.connect(sealer.name.clone(), socket);
                let sealed = shake.await.map_err(|_| Failure::Tls)?;
                let chosen = sealed.get_ref().1.alpn_protocol();
                if self.target.http2 && chosen != Some(b"h2".as_slice()) {
                    return Err(Failure::Protocol);
                }
                Stream::Sealed(Box::new(sealed))
            }
        };
        self.meter.connections.set(self.meter.connections.get() + 1);
        let meter = Rc::clone(&self.meter);
        Ok(Line { stream, meter })
    }

    async fn socket(&self) -> io::Result<TcpStream> {
        let addresses = &self.target.addresses;
        let mut last = None;
        for tried in 0..addresses.len() {
            let at = (self.preferred.get() + tried) % addresses.len();
            match TcpStream::connect(addresses[at]).await {
                Ok(socket) => {
                    self.preferred.set(at);
                    return Ok(socket);
                }
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into()))
    }
}

/// A connection.
#[derive(Debug)]
pub struct Line {
    stream: Stream,
    meter: Rc<Meter>,
}

#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Sealed(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = match &mut self.stream {
            Stream::Plain(socket) => Pin::new(socket).poll_read(context, buffer),
            Stream::Sealed(sealed) => Pin::new(sealed).poll_read(context, buffer),
        };
        let read = buffer.filled().len() - before;
        self.meter.received.set(self.meter.received.get() + read as u64);
        polled
    }
}

impl Line {
    fn count(&self, polled: &Poll<io::Result<usize>>) {
        if let Poll::Ready(Ok(written)) = polled {
            self.meter.sent.set(self.meter.sent.get() + *written as u64);
        }
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = match &mut self.stream {
            Stream::Plain(socket) => Pin::new(socket).poll_write(context, bytes),
            Stream::Sealed(sealed) => Pin::new(sealed).poll_write(context, bytes),
        };
        self.count(&polled);
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = match &mut self.stream {
            Stream::Plain(socket) => Pin::new(socket).poll_write_vectored(context, slices),
            Stream::Sealed(sealed) => Pin::new(sealed).poll_write_vectored(context, slices),
        };
        self.count(&polled);
        polled
    }

    fn is_write_vectored(&self) -> bool {
        match &self.stream {
            Stream::Plain(socket) => socket.is_write_vectored(),
            Stream::Sealed(sealed) => sealed.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(socket) => Pin::new(socket).poll_flush(context),
            Stream::Sealed(sealed) => Pin::new(sealed).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(socket) => Pin::new(socket).poll_shutdown(context),
            Stream::Sealed(sealed) => Pin::new(sealed).poll_shutdown(context),
        }
    }
}
