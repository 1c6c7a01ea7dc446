//! What the account may not, asked before it is tried.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::authorization::v1::{
    NonResourceAttributes, ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::{Connection, Limits, Stop};
use crate::api_path::Need;

/// How long one question may take. Nothing hangs on the answer but a hint.
const PATIENCE: Duration = Duration::from_secs(15);

/// What the API server says of the account's access.
#[derive(Debug, Default)]
pub struct Preflight {
    /// What it refuses.
    pub missing: BTreeSet<Need>,
    /// Why it does not say it of everything; none where it does.
    pub note: Option<String>,
}

/// Asks for each need whether the account has it (`SelfSubjectAccessReview`). An API server that does not answer is no
/// obstacle.
pub fn preflight(connection: &Connection, needs: &BTreeSet<Need>, stop: &Stop) -> Preflight {
    let in_flight = Arc::new(Semaphore::new(Limits::default().in_flight));
    let ask_all = async {
        let mut questions = JoinSet::new();
        for need in needs {
            let (client, need, in_flight) =
                (connection.client().clone(), need.clone(), Arc::clone(&in_flight));
            questions.spawn(async move {
                let _permit = in_flight.acquire().await;
                let answer = tokio::time::timeout(PATIENCE, is_allowed(client, &need)).await;
                (need, answer.unwrap_or_else(|_| Err(format!("no answer within {} s", PATIENCE.as_secs()))))
            });
        }
        let mut preflight = Preflight::default();
        while let Some(answered) = questions.join_next().await {
            match answered {
                Ok((_, Ok(true))) => {}
                Ok((need, Ok(false))) => {
                    preflight.missing.insert(need);
                }
                Ok((_, Err(reason))) => preflight.note = Some(reason),
                Err(e) => preflight.note = Some(e.to_string()),
            }
        }
        preflight
    };
    connection.handle().block_on(stop.unless(ask_all)).unwrap_or_default()
}

async fn is_allowed(client: Client, need: &Need) -> Result<bool, String> {
    let mut spec = SelfSubjectAccessReviewSpec::default();
    match need {
        Need::Path(path) => {
            spec.non_resource_attributes =
                Some(NonResourceAttributes { path: Some(path.clone()), verb: Some("get".to_owned()) });
        }
        Need::Resource { namespace, group, resource, name, verb } => {
            let (resource, subresource) = match resource.split_once('/') {
                Some((resource, subresource)) => (resource, Some(subresource.to_owned())),
                None => (resource.as_str(), None),
            };
            spec.resource_attributes = Some(ResourceAttributes {
                namespace: namespace.clone(),
                group: Some(group.clone()),
                resource: Some(resource.to_owned()),
                subresource,
                name: name.clone(),
                verb: Some((*verb).to_owned()),
                ..ResourceAttributes::default()
            });
        }
    }
    let review = SelfSubjectAccessReview { spec, ..SelfSubjectAccessReview::default() };
    let answer = Api::all(client).create(&PostParams::default(), &review).await;
    match answer {
        Ok(SelfSubjectAccessReview { status: Some(status), .. }) => Ok(status.allowed),
        Ok(_) => Err("the API server gave no status".to_owned()),
        Err(kube::Error::Api(status)) => Err(format!("{} ({})", status.message, status.code)),
        Err(e) => Err(e.to_string()),
    }
}
