//! Load tests: what JavaScript calls to start, watch and stop them.

use napi::bindgen_prelude::{Buffer, Env};
use napi_derive::napi;

use super::environment::Environment;
use super::handles::Handles;
use super::to_napi;
use crate::engine::completion::Reply;
use crate::engine::load::plan::{Plan, Work};
use crate::engine::load::run::Run;
use crate::error::Error;

type Result<T> = std::result::Result<T, napi::Error<&'static str>>;

/// The load tests of one environment.
#[derive(Debug, Default)]
pub struct Loads {
    runs: Handles<Run>,
}

impl Loads {
    /// Stops them all: nobody is left who would hear of them. Their threads end by themselves.
    pub fn tear_down(&self) {
        self.runs.take_all().iter().for_each(|run| run.stop());
    }
}

fn environment(env: &Env) -> Result<&Environment> {
    Environment::of(env).map_err(|error| napi::Error::new("ERR_HOTPATH_NATIVE", error.reason))
}

/// Starts a load test and returns its number. The operation gives its report, as JSON.
#[napi(catch_unwind)]
pub fn start_load(env: Env, operation: u32, plan: String, body: Buffer) -> Result<u32> {
    let environment = environment(&env)?;
    let mut plan: Plan = serde_json::from_str(&plan).map_err(|error| {
        to_napi(Error::BadData {
            what: "plan",
            reason: error.to_string(),
        })
    })?;
    if let Work::Requests(requests) = &mut plan.work {
        requests.body = body.to_vec().into();
    }
    let queue = environment.queue.clone();
    let done = move |report: crate::error::Result<String>| {
        queue.push(operation, report.map(Reply::Text).into());
    };
    let run = Run::start(plan, done).map_err(to_napi)?;
    Ok(environment.loads.runs.add(|_| run))
}

/// What a load test has found out so far, as JSON; null once it was let go.
#[napi(catch_unwind)]
pub fn load_progress(env: Env, number: u32) -> Result<Option<String>> {
    let run = environment(&env)?.loads.runs.get(number);
    Ok(run.map(|run| run.progress()))
}

/// Ends a load test now. Its operation is completed all the same.
#[napi(catch_unwind)]
pub fn stop_load(env: Env, number: u32) -> Result<()> {
    if let Some(run) = environment(&env)?.loads.runs.get(number) {
        run.stop();
    }
    Ok(())
}

/// Lets a load test go that is over.
#[napi(catch_unwind)]
pub fn release_load(env: Env, number: u32) -> Result<()> {
    environment(&env)?.loads.runs.remove(number);
    Ok(())
}
