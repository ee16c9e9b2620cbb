//! Objects of data providers on the disk. Everything completes operations: the event loop
//! waits for no disk.

use std::path::Path;
use std::sync::Arc;

use napi::bindgen_prelude::{Buffer, Env};
use napi_derive::napi;

use crate::binding::environment::Environment;
use crate::binding::to_napi;
use crate::engine::batch::objects::{
    DiskObjects, Object, UUID_LENGTH, Uuid, new_uuids, parse_uuid, write_uuid,
};
use crate::engine::batch::threads;
use crate::engine::cache::record::Kind;
use crate::engine::completion::{CompletionQueue, Outcome, Reply};
use crate::error::Error;

type Result<T> = std::result::Result<T, napi::Error<&'static str>>;

/// One handle: a JavaScript object's access to a directory.
#[derive(Debug)]
pub struct DiskObjectsHandle(DiskObjects);

/// Opens a directory and returns the handle's number. Reads what is there to check it.
#[napi(catch_unwind)]
pub fn open_disk_objects(env: Env, directory: String, max_bytes: f64) -> Result<u32> {
    let objects = DiskObjects::open(Path::new(&directory), max_bytes as u64).map_err(to_napi)?;
    Ok(environment(&env)?
        .batches
        .disk_objects
        .add(|_| DiskObjectsHandle(objects)))
}

/// Closes a handle; the operation completes when all is written.
#[napi(catch_unwind)]
pub fn close_disk_objects(env: Env, handle: u32, operation: u32) -> Result<()> {
    let environment = environment(&env)?;
    let queue = environment.queue.clone();
    let done = move || {
        queue.push(operation, Outcome::Done(Reply::None));
    };
    match environment.batches.disk_objects.remove(handle) {
        Some(handle) => handle.0.clone().close(done),
        None => done(),
    }
    Ok(())
}

/// Gives up the handle of a provider that was collected; what is queued is written.
#[napi(catch_unwind)]
pub fn collect_disk_objects(env: Env, handle: u32) -> Result<()> {
    environment(&env)?.batches.disk_objects.remove(handle);
    Ok(())
}

fn environment(env: &Env) -> Result<&Environment> {
    let uninitialised = |error: napi::Error| napi::Error::new("ERR_HOTPATH_NATIVE", error.reason.clone());
    Environment::of(env).map_err(uninitialised)
}

/// The store of a handle, and where its operations complete.
fn store(env: &Env, handle: u32) -> Result<(DiskObjects, Arc<CompletionQueue>)> {
    let environment = environment(env)?;
    let handle = environment.batches.disk_objects.get(handle);
    let closed = Error::Closed {
        engine: "data provider",
    };
    let handle = handle.ok_or_else(|| to_napi(closed))?;
    Ok((handle.0.clone(), environment.queue.clone()))
}

/// Completes an operation with what `work` finds, on another thread.
fn in_background(
    queue: Arc<CompletionQueue>,
    operation: u32,
    work: impl FnOnce() -> crate::error::Result<Reply> + Send + 'static,
) -> Result<()> {
    let pool = threads::pool().map_err(to_napi)?;
    pool.spawn(move || {
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        let result = result.unwrap_or_else(|_| {
            let reason = "a data provider panicked; please report this".to_owned();
            Err(Error::Inconsistent { reason })
        });
        queue.push(operation, Outcome::from(result));
    });
    Ok(())
}

/// Adds objects whose payloads lie one behind the other; `shapes` tells of each its kind and
/// where it ends. Returns their new UUIDs, one behind the other.
#[napi(catch_unwind)]
pub fn disk_objects_add(
    env: Env,
    handle: u32,
    container: String,
    shapes: Vec<u32>,
    payloads: Buffer,
    operation: u32,
) -> Result<String> {
    let (store, queue) = store(&env, handle)?;
    let count = shapes.len() / 2;
    let mut start = 0;
    let mut text = Vec::with_capacity(count * UUID_LENGTH);
    let mut added = Vec::with_capacity(count);
    for (shape, uuid) in shapes.chunks_exact(2).zip(new_uuids(count)) {
        let (kind, end) = (Kind(shape[0] as u8), shape[1] as usize);
        let bytes = payloads.get(start..end).unwrap_or_default().into();
        start = end;
        write_uuid(uuid, &mut text);
        added.push((uuid, Object { kind, bytes }));
    }
    store.add(container.as_bytes(), added, move |result| {
        queue.push(operation, Outcome::from(result.map(|()| Reply::None)));
    });
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Reads objects by their UUIDs.
#[napi(catch_unwind)]
pub fn disk_objects_get(
    env: Env,
    handle: u32,
    container: String,
    uuids: Vec<String>,
    operation: u32,
) -> Result<()> {
    let (store, queue) = store(&env, handle)?;
    let uuids: Vec<Option<Uuid>> = uuids.iter().map(|uuid| parse_uuid(uuid.as_bytes())).collect();
    in_background(queue, operation, move || {
        let found = store.get(container.as_bytes(), &uuids)?;
        let stored = |object: Option<Object>| object.map(|object| (object.kind, object.bytes.into_vec()));
        Ok(Reply::Values(found.into_iter().map(stored).collect()))
    })
}

/// Removes an object.
#[napi(catch_unwind)]
pub fn disk_objects_remove(
    env: Env,
    handle: u32,
    container: String,
    uuid: String,
    operation: u32,
) -> Result<()> {
    let (store, queue) = store(&env, handle)?;
    let done = move |result: crate::error::Result<bool>| {
        queue.push(operation, Outcome::from(result.map(Reply::Flag)));
    };
    match parse_uuid(uuid.as_bytes()) {
        Some(uuid) => store.remove(container.as_bytes(), uuid, done),
        None => done(Ok(false)),
    }
    Ok(())
}

/// Reads the objects that come after one, or from the first on. Each is preceded by its
/// UUID.
#[napi(catch_unwind)]
pub fn disk_objects_page(
    env: Env,
    handle: u32,
    container: String,
    after: String,
    most: u32,
    operation: u32,
) -> Result<()> {
    let (store, queue) = store(&env, handle)?;
    in_background(queue, operation, move || {
        let after = parse_uuid(after.as_bytes());
        let page = store.page(container.as_bytes(), after, most as usize)?;
        let entry = |(uuid, object): (Uuid, Object)| {
            let mut name = Vec::with_capacity(UUID_LENGTH);
            write_uuid(uuid, &mut name);
            [
                Some((Kind::LATIN1, name)),
                Some((object.kind, object.bytes.into_vec())),
            ]
        };
        Ok(Reply::Values(page.into_iter().flat_map(entry).collect()))
    })
}

/// Counts the objects of a container.
#[napi(catch_unwind)]
pub fn disk_objects_count(env: Env, handle: u32, container: String, operation: u32) -> Result<()> {
    let (store, queue) = store(&env, handle)?;
    in_background(queue, operation, move || {
        Ok(Reply::Number(store.count(container.as_bytes())? as f64))
    })
}

/// Removes all objects of a container; all of all, without one.
#[napi(catch_unwind)]
pub fn disk_objects_clear(env: Env, handle: u32, container: Option<String>, operation: u32) -> Result<()> {
    let (store, queue) = store(&env, handle)?;
    let container = container.as_ref().map(|container| container.as_bytes());
    store.clear(container, move |result| {
        queue.push(
            operation,
            Outcome::from(result.map(|count| Reply::Number(count as f64))),
        );
    });
    Ok(())
}

/// The version of the dictionary of structures.
#[napi(catch_unwind)]
pub fn disk_objects_structures_version(env: Env, handle: u32) -> Result<u32> {
    let (store, _) = store(&env, handle)?;
    store.structures().map(|(version, _)| version).map_err(to_napi)
}

/// The dictionary of structures.
#[napi(catch_unwind)]
pub fn disk_objects_structures(env: Env, handle: u32) -> Result<Buffer> {
    let (store, _) = store(&env, handle)?;
    store
        .structures()
        .map(|(_, document)| document.into())
        .map_err(to_napi)
}

/// Replaces the dictionary of structures; false when somebody else was faster.
#[napi(catch_unwind)]
pub fn disk_objects_save_structures(env: Env, handle: u32, document: Buffer, expected: u32) -> Result<bool> {
    let (store, _) = store(&env, handle)?;
    store.save_structures(&document, expected).map_err(to_napi)
}
