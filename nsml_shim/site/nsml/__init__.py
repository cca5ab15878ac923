"""What `import nsml` gives a session: NSML's library, or a quiet stand-in outside the platform."""

from nsml_shim.client.checkpoints import load as load
from nsml_shim.client.checkpoints import save as save
from nsml_shim.client.constants import DATASET_NAME as DATASET_NAME
from nsml_shim.client.constants import DATASET_PATH as DATASET_PATH
from nsml_shim.client.constants import GPU_NUM as GPU_NUM
from nsml_shim.client.constants import HAS_DATASET as HAS_DATASET
from nsml_shim.client.constants import IS_DATASET as IS_DATASET
from nsml_shim.client.constants import IS_ON_NSML as IS_ON_NSML
from nsml_shim.client.constants import MY_RANK as MY_RANK
from nsml_shim.client.constants import NSML_NFS_OUTPUT as NSML_NFS_OUTPUT
from nsml_shim.client.constants import PARALLEL_PORTS as PARALLEL_PORTS
from nsml_shim.client.constants import PARALLEL_WORLD as PARALLEL_WORLD
from nsml_shim.client.constants import SESSION_NAME as SESSION_NAME
from nsml_shim.client.hooks import bind as bind
from nsml_shim.client.hooks import infer as infer
from nsml_shim.client.paused import paused as paused
from nsml_shim.client.reports import report as report
