//! The way to an API server: kubeconfig, context, the pod's own service account, impersonation.

use std::path::PathBuf;

use kube::config::{InClusterError, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use tokio::runtime::{Builder, Handle, Runtime};

/// Which cluster, and who asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// The kubeconfig; none: those of `KUBECONFIG`, `~/.kube/config`, or the pod's service account, as kubectl looks for them.
    pub kubeconfig: Option<PathBuf>,
    /// The context; none: the current one.
    pub context: Option<String>,
    /// The user to impersonate.
    pub user: Option<String>,
    /// The groups to impersonate.
    pub groups: Vec<String>,
}

/// Why there is no way to an API server.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// A kubeconfig that was named is of no use.
    #[error("{path}: {source}")]
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: KubeconfigError,
    },
    /// Neither a kubeconfig nor a service account leads to a cluster.
    #[error(
        "no cluster: {kubeconfig}; and this is no pod ({in_cluster}). Name a kubeconfig with --kubeconfig, or a source such as --snapshot"
    )]
    NoCluster {
        /// What is wrong with the kubeconfig.
        kubeconfig: KubeconfigError,
        /// What is wrong with the service account.
        in_cluster: InClusterError,
    },
    /// A context was named, and no kubeconfig has it.
    #[error("{0}")]
    Context(KubeconfigError),
    /// The certificates or the proxy are of no use.
    #[error("the cluster {cluster} cannot be asked: {source}")]
    Client {
        /// The cluster.
        cluster: String,
        /// What is wrong.
        source: Box<kube::Error>,
    },
    /// There are no threads.
    #[error("no thread could be started: {0}")]
    Runtime(#[from] std::io::Error),
}

/// A client of an API server, with the threads that wait for its answers.
pub struct Connection {
    client: Client,
    runtime: Runtime,
    cluster: String,
    context: Option<String>,
}

impl Connection {
    /// Finds the API server. Nothing is asked of it yet.
    ///
    /// # Errors
    /// [`ConnectError`] where no configuration leads to one.
    pub fn new(access: &Access) -> Result<Self, ConnectError> {
        let runtime = threads()?;
        let (mut config, context) = runtime.block_on(config(access))?;
        // Sources wait, count and give up by themselves.
        config.default_retry = false;
        if let Some(user) = &access.user {
            config.auth_info.impersonate = Some(user.clone());
        }
        if !access.groups.is_empty() {
            config.auth_info.impersonate_groups = Some(access.groups.clone());
        }
        let cluster = config.cluster_url.to_string().trim_end_matches('/').to_owned();
        let client = {
            let _entered = runtime.enter();
            Client::try_from(config)
        };
        let client = client
            .map_err(|source| ConnectError::Client { cluster: cluster.clone(), source: Box::new(source) })?;
        Ok(Self { client, runtime, cluster, context })
    }

    /// A connection by a client of one's own, which is made where its requests will run; `cluster` is what to call the
    /// other end.
    ///
    /// # Errors
    /// [`ConnectError::Runtime`] where there are no threads.
    pub fn of_client(
        client: impl FnOnce() -> Client,
        cluster: impl Into<String>,
    ) -> Result<Self, ConnectError> {
        let runtime = threads()?;
        let client = {
            let _entered = runtime.enter();
            client()
        };
        Ok(Self { client, runtime, cluster: cluster.into(), context: None })
    }

    /// The client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Where futures run. Threads that are not the runtime's may block on them.
    pub fn handle(&self) -> &Handle {
        self.runtime.handle()
    }

    /// The API server's address.
    pub fn cluster(&self) -> &str {
        &self.cluster
    }

    /// The kubeconfig's context; none where there is no kubeconfig.
    pub fn context(&self) -> Option<&str> {
        self.context.as_deref()
    }
}

fn threads() -> std::io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(2).enable_all().build()
}

/// The configuration, with the context's name.
async fn config(access: &Access) -> Result<(Config, Option<String>), ConnectError> {
    let options = KubeConfigOptions { context: access.context.clone(), ..KubeConfigOptions::default() };
    let of_kubeconfig = async |kubeconfig: Kubeconfig| {
        let context = access.context.clone().or_else(|| kubeconfig.current_context.clone());
        Ok::<_, KubeconfigError>((Config::from_custom_kubeconfig(kubeconfig, &options).await?, context))
    };
    if let Some(path) = &access.kubeconfig {
        let wrong = |source| ConnectError::Kubeconfig { path: path.clone(), source };
        return of_kubeconfig(Kubeconfig::read_from(path).map_err(wrong)?).await.map_err(wrong);
    }
    let found = match Kubeconfig::read() {
        Ok(kubeconfig) => of_kubeconfig(kubeconfig).await,
        Err(error) => Err(error),
    };
    match found {
        Ok(found) => Ok(found),
        Err(error) if access.context.is_some() => Err(ConnectError::Context(error)),
        Err(kubeconfig) => match Config::incluster() {
            Ok(config) => Ok((config, None)),
            Err(in_cluster) => Err(ConnectError::NoCluster { kubeconfig, in_cluster }),
        },
    }
}
