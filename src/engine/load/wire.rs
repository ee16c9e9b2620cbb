//! One exchange after the other: a request out, its answer in.
//!
//! An HTTP/1.1 connection belongs to one [`Wire`] and is polled together with what waits for it
//! (`Driven`). Spawned as a task of its own, as is usual, each exchange would cost two hand-overs
//! between tasks. HTTP/2 connections are tasks of their own: several wires share one.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::TokioIo;

use super::failure::Failure;
use super::origin::{Line, Origin};

/// A body that is kept for captures is not longer than this.
const LONGEST_KEPT: usize = 16 * 1024 * 1024;

/// Windows of HTTP/2: large enough that they are never what is measured.
const WINDOW: u32 = 4 * 1024 * 1024;

type Body = Full<Bytes>;

/// What drives an exchange over HTTP/1.1.
type Driver = http1::Connection<TokioIo<Line>, Body>;

/// A request that can be sent again and again.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The method.
    pub method: Method,
    /// The path; over HTTP/2 with scheme and authority.
    pub uri: Uri,
    /// All headers but the length.
    pub headers: HeaderMap,
    /// The body, maybe empty.
    pub body: Bytes,
}

impl Prepared {
    fn request(&self) -> Request<Body> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        request
    }
}

/// An answer, complete.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// When the request was sent, or began to be.
    pub begun: Instant,
    /// Headers and body, for those who want them.
    pub kept: Option<(HeaderMap, Vec<u8>)>,
}

/// How one lane, or one user, reaches the server.
#[derive(Debug)]
pub struct Wire {
    origin: Rc<Origin>,
    link: Link,
}

#[derive(Debug)]
enum Link {
    Own(Option<Own>),
    Shared(Rc<Shared>),
}

/// Why an exchange was not completed.
enum Trouble {
    /// The request was not sent: the connection had gone before.
    Unsent,
    Failed(Failure),
}

impl Wire {
    /// A wire with a connection to itself.
    pub fn alone(origin: &Rc<Origin>) -> Self {
        let link = if origin.http2() {
            Link::Shared(Rc::default())
        } else {
            Link::Own(None)
        };
        Self {
            origin: Rc::clone(origin),
            link,
        }
    }

    /// A wire over a connection that others use, too.
    pub fn over(origin: &Rc<Origin>, shared: &Rc<Shared>) -> Self {
        Self {
            origin: Rc::clone(origin),
            link: Link::Shared(Rc::clone(shared)),
        }
    }

    /// Gives the connection up, if it is nobody else's: an exchange on it was not completed.
    pub fn abandon(&mut self) {
        if let Link::Own(own) = &mut self.link {
            *own = None;
        }
    }

    /// Sends a request and takes in the whole answer, over a new connection if need be. A
    /// connection that was closed while nobody used it is no failure.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn exchange(
        &mut self,
        prepared: &Prepared,
        begun: Instant,
        keep: bool,
    ) -> Result<Answer, Failure> {
        let mut begun = begun;
        loop {
            let (trouble, fresh, ended) = match &mut self.link {
                Link::Own(slot) => {
                    let fresh = slot.is_none();
                    if fresh {
                        *slot = Some(Own::open(&self.origin).await?);
                        begun = Instant::now();
                    }
                    let Some(own) = slot else { continue };
                    match own.exchange(prepared, begun, keep).await {
                        Ok(answer) => return Ok(answer),
                        Err(trouble) => {
                            let ended = own.line.failure;
                            *slot = None;
                            (trouble, fresh, ended)
                        }
                    }
                }
                Link::Shared(shared) => {
                    let (sender, fresh) = shared.sender(&self.origin).await?;
                    if fresh {
                        begun = Instant::now();
                    }
                    match exchange_shared(sender, prepared, begun, keep).await {
                        Ok(answer) => return Ok(answer),
                        Err(trouble) => (trouble, fresh, None),
                    }
                }
            };
            match trouble {
                Trouble::Unsent if !fresh => {}
                Trouble::Unsent => return Err(ended.unwrap_or(Failure::Reset)),
                Trouble::Failed(failure) => return Err(failure),
            }
        }
    }
}

/// A connection of one's own.
#[derive(Debug)]
struct Own {
    sender: http1::SendRequest<Body>,
    line: Driven,
}

/// A connection that is polled by whoever waits for something of it.
#[derive(Debug)]
struct Driven {
    /// None once it has ended.
    connection: Option<Pin<Box<Driver>>>,
    /// Why it has ended, if that was a failure.
    failure: Option<Failure>,
}

impl Own {
    async fn open(origin: &Origin) -> Result<Self, Failure> {
        let line = TokioIo::new(origin.connect().await?);
        let opened = http1::handshake(line).await;
        let (sender, connection) = opened.map_err(|error| Failure::of_exchange(&error))?;
        let line = Driven {
            connection: Some(Box::pin(connection)),
            failure: None,
        };
        Ok(Self { sender, line })
    }

    async fn exchange(&mut self, prepared: &Prepared, begun: Instant, keep: bool) -> Result<Answer, Trouble> {
        let line = &mut self.line;
        if !self.sender.is_ready() {
            let ready = line.drive(self.sender.ready()).await;
            ready.map_err(|_| Trouble::Unsent)?;
        }
        let answered = line.drive(self.sender.try_send_request(prepared.request())).await;
        let response = answered.map_err(|error| match error.message() {
            Some(_) => Trouble::Unsent,
            None => Trouble::Failed(Failure::of_exchange(error.error())),
        })?;
        let (mut answer, mut body) = begin(response, begun, keep);
        while !body.is_end_stream() {
            let Some(frame) = line.drive(body.frame()).await else {
                break;
            };
            take(&mut answer, frame)?;
        }
        Ok(answer)
    }
}

impl Driven {
    /// Polls the connection together with what waits for it.
    async fn drive<F: Future>(&mut self, waiting: F) -> F::Output {
        let mut waiting = pin!(waiting);
        poll_fn(|context| {
            if let Poll::Ready(output) = waiting.as_mut().poll(context) {
                return Poll::Ready(output);
            }
            if let Some(alive) = &mut self.connection
                && let Poll::Ready(ended) = alive.as_mut().poll(context)
            {
                self.failure = ended.err().map(|error| Failure::of_exchange(&error));
                self.connection = None;
            }
            // What the connection has just done may be what is waited for.
            waiting.as_mut().poll(context)
        })
        .await
    }
}

/// A connection of HTTP/2 that several share.
#[derive(Debug, Default)]
pub struct Shared {
    sender: RefCell<Option<http2::SendRequest<Body>>>,
    /// Held by the one who connects.
    connecting: tokio::sync::Mutex<()>,
}

impl Shared {
    /// What sends requests, and whether it was made for this one.
    async fn sender(&self, origin: &Origin) -> Result<(http2::SendRequest<Body>, bool), Failure> {
        if let Some(sender) = self.alive() {
            return Ok((sender, false));
        }
        let _connecting = self.connecting.lock().await;
        if let Some(sender) = self.alive() {
            return Ok((sender, true));
        }
        let line = TokioIo::new(origin.connect().await?);
        let opened = http2::Builder::new(Local)
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .handshake(line)
            .await;
        let (sender, connection) = opened.map_err(|error| Failure::of_exchange(&error))?;
        tokio::task::spawn_local(async move {
            // Whoever uses it learns of its end by its own exchange.
            let _ = connection.await;
        });
        *self.sender.borrow_mut() = Some(sender.clone());
        Ok((sender, true))
    }

    fn alive(&self) -> Option<http2::SendRequest<Body>> {
        let sender = self.sender.borrow();
        sender.as_ref().filter(|sender| !sender.is_closed()).cloned()
    }
}

async fn exchange_shared(
    mut sender: http2::SendRequest<Body>,
    prepared: &Prepared,
    begun: Instant,
    keep: bool,
) -> Result<Answer, Trouble> {
    sender.ready().await.map_err(|_| Trouble::Unsent)?;
    let answered = sender.try_send_request(prepared.request()).await;
    let response = answered.map_err(|error| match error.message() {
        Some(_) => Trouble::Unsent,
        None => Trouble::Failed(Failure::of_exchange(error.error())),
    })?;
    let (mut answer, mut body) = begin(response, begun, keep);
    while let Some(frame) = body.frame().await {
        take(&mut answer, frame)?;
    }
    Ok(answer)
}

fn begin(response: Response<Incoming>, begun: Instant, keep: bool) -> (Answer, Incoming) {
    let (head, body) = response.into_parts();
    let answer = Answer {
        status: head.status.as_u16(),
        begun,
        kept: keep.then(|| (head.headers, Vec::new())),
    };
    (answer, body)
}

fn take(answer: &mut Answer, frame: Result<hyper::body::Frame<Bytes>, hyper::Error>) -> Result<(), Trouble> {
    let frame = frame.map_err(|error| Trouble::Failed(Failure::of_exchange(&error)))?;
    if let (Some((_, kept)), Some(data)) = (&mut answer.kept, frame.data_ref())
        && kept.len() + data.len() <= LONGEST_KEPT
    {
        kept.extend_from_slice(data);
    }
    Ok(())
}

/// Runs the tasks of a connection on the thread that uses it.
#[derive(Debug, Clone, Copy)]
struct Local;

impl<F: Future<Output = ()> + 'static> hyper::rt::Executor<F> for Local {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}
