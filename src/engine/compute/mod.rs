//! Numbers computed on native threads while JavaScript goes on.
//!
//! A [`ComputeEngine`] takes [tasks](task::Task), keeps those that wait in order of priority
//! and runs them on the [threads for such work](super::processors), of which the whole
//! process has one less than cores. What it guarantees:
//!
//! - **Bounded.** An engine never uses more threads than it was given [slots](slots): a task
//!   takes one when it begins and gives it back when it ends. Slots that nobody waits for help
//!   the tasks that run, piece by piece, so a task alone is spread over all of them.
//! - **Stopped means stopped.** Every kernel works in pieces of a few milliseconds and looks at
//!   its [stop flag and deadline](stop::Stop) in between. A task is answered once its last
//!   piece has ended, never before: memory that JavaScript lent to it is free from then on.
//! - **The same answer every time.** Work is cut by the size of the input, not by the number
//!   of threads, so results are equal to the last digit on every run of one machine.
//! - **Every task is answered exactly once**, with a result or an error, unless the
//!   environment that asked is gone.
//!
//! Deadlines of waiting tasks are watched by the background thread, so they hold even when all
//! slots are taken by others.
//!
//! Kernels: [`multiply`] (faer), [`solve`] (blocked LU over faer), [`similarity`], [`sort`],
//! [`statistics`]. A thread that waits in rayon for the last pieces of its task may begin
//! another engine's task meanwhile; the answer of the first is then late by as much.
//!
//! Lock order: the engine's state, then a completion queue. Kernels hold no lock of the
//! engine.

pub mod engine;
pub mod multiply;
pub mod numbers;
pub mod queue;
pub mod share;
pub mod similarity;
pub mod slots;
pub mod solve;
pub mod sort;
pub mod statistics;
pub mod stop;
pub mod task;

pub use engine::ComputeEngine;
