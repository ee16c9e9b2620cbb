//! Tests of the orchestration.
