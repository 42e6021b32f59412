//! Commands on the server, watched until the server says that they are complete.
//!
//! A server ends the stream of its answers every two minutes, and where the connection of a busy one was lost, and
//! the client is to ask for more. The client's own calls take that end for the end of the work: a write counts as
//! done that still runs, and a view as there that no query finds yet. So what changes something is driven here, by the
//! client's parts.

use std::thread;
use std::time::Duration;

use spark_connect::SparkError;
use spark_connect_core::{
    ChannelBuilder, ExecutePlanResponseReattachableIterator, RetryPolicy, RetryPolicyState,
    SparkConnectClient, block_on,
};
use spark_connect_proto::execute_plan_response::{ExecutionProgress, ResponseType};
use spark_connect_proto::write_operation::{SaveMode, SaveType};
use spark_connect_proto::{
    Command, CreateDataFrameViewCommand, ExecutePlanRequest, Plan, Read, Relation, Sql,
    UserContext, WriteOperation, command, plan, read, relation,
};

use crate::lower::WRITER_OPTIONS;

/// The code of gRPC for a server that can't be reached.
const UNAVAILABLE: i32 = 14;

/// What an operation needs to join a session.
#[derive(Clone)]
pub(crate) struct Operations {
    /// The URL of the server, with its session.
    pub(crate) url: String,
    /// What the operation is interrupted by.
    pub(crate) tag: String,
    pub(crate) session: String,
}

impl Operations {
    /// Writes the rows of a query as Parquet to a path where nothing is.
    ///
    /// # Errors
    /// What the server or the client reports.
    pub(crate) fn write(
        &self,
        query: String,
        path: String,
        progress: impl Fn(&ExecutionProgress),
    ) -> Result<(), SparkError> {
        let sql = relation::RelType::Sql(Sql { query, ..Sql::default() });
        let options = WRITER_OPTIONS.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let write = command::CommandType::WriteOperation(WriteOperation {
            input: Some(Relation { rel_type: Some(sql), ..Relation::default() }),
            source: Some("parquet".to_owned()),
            mode: SaveMode::ErrorIfExists.into(),
            options: options.collect(),
            save_type: Some(SaveType::Path(path)),
            ..WriteOperation::default()
        });
        self.complete(self.request(write), progress)
    }

    /// Makes a view of the lines of text files.
    ///
    /// # Errors
    /// As [`Operations::write`].
    pub(crate) fn create_view(
        &self,
        name: String,
        urls: Vec<String>,
        options: &[(&str, &str)],
    ) -> Result<(), SparkError> {
        let source = read::DataSource {
            format: Some("text".to_owned()),
            options: options.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            paths: urls,
            ..read::DataSource::default()
        };
        let read = Read { read_type: Some(read::ReadType::DataSource(source)), ..Read::default() };
        let rel_type = Some(relation::RelType::Read(read));
        let view = command::CommandType::CreateDataframeView(CreateDataFrameViewCommand {
            input: Some(Relation { rel_type, ..Relation::default() }),
            name,
            replace: true,
            ..CreateDataFrameViewCommand::default()
        });
        self.complete(self.request(view), |_| {})
    }

    fn request(&self, command: command::CommandType) -> ExecutePlanRequest {
        let command = plan::OpType::Command(Command { command_type: Some(command) });
        ExecutePlanRequest {
            session_id: self.session.clone(),
            // As the client's own calls have it: another one would be another session.
            user_context: Some(UserContext::default()),
            tags: vec![self.tag.clone()],
            plan: Some(Plan { op_type: Some(command) }),
            ..ExecutePlanRequest::default()
        }
    }

    fn complete(
        &self,
        request: ExecutePlanRequest,
        progress: impl Fn(&ExecutionProgress),
    ) -> Result<(), SparkError> {
        let client = block_on(SparkConnectClient::connect(&ChannelBuilder::parse(&self.url)?))?;
        let operation = ExecutePlanResponseReattachableIterator::new(request);
        let mut stream = block_on(client.execute_plan(operation.request().clone()))?;
        let mut retries = RetryPolicyState::new(RetryPolicy::default());
        loop {
            match block_on(stream.message()).map_err(SparkError::from_grpc_status) {
                Ok(Some(response)) => {
                    block_on(operation.set_last_response_id(&response));
                    if let Some(ResponseType::ExecutionProgress(now)) = &response.response_type {
                        progress(now);
                    }
                    if block_on(operation.is_completed()) {
                        // The server keeps the answers until it hears that they came.
                        let all = block_on(operation.create_release_request(true));
                        let _ = block_on(client.release_execute(all));
                        return Ok(());
                    }
                    continue;
                }
                Ok(None) => {}
                Err(error) if is_transient(&error) => {}
                Err(error) => return Err(error),
            }
            stream = loop {
                let again = block_on(operation.create_reattach_request());
                match block_on(client.reattach_execute(again)) {
                    Ok(stream) => break stream,
                    Err(error) if is_transient(&error) => match retries.next_attempt(None) {
                        Some(wait) => thread::sleep(Duration::from_millis(wait)),
                        None => return Err(error),
                    },
                    Err(error) => return Err(error),
                }
            };
        }
    }
}

fn is_transient(error: &SparkError) -> bool {
    error.grpc_code == Some(UNAVAILABLE) || error.message().contains("INVALID_CURSOR.DISCONNECTED")
}
