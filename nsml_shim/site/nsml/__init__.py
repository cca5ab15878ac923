"""What `import nsml` gives a session: NSML's library, or a quiet stand-in outside the platform."""

from nsml import constants as constants
from nsml.constants import DATASET_NAME as DATASET_NAME
from nsml.constants import DATASET_PATH as DATASET_PATH
from nsml.constants import GPU_NUM as GPU_NUM
from nsml.constants import HAS_DATASET as HAS_DATASET
from nsml.constants import IS_DATASET as IS_DATASET
from nsml.constants import IS_ON_NSML as IS_ON_NSML
from nsml.constants import MY_RANK as MY_RANK
from nsml.constants import NSML_NFS_OUTPUT as NSML_NFS_OUTPUT
from nsml.constants import PARALLEL_PORTS as PARALLEL_PORTS
from nsml.constants import PARALLEL_WORLD as PARALLEL_WORLD
from nsml.constants import SESSION_NAME as SESSION_NAME
from nsml_shim.client.cache import cache as cache
from nsml_shim.client.checkpoints import load as load
from nsml_shim.client.checkpoints import save as save
from nsml_shim.client.checkpoints import save_folder as save_folder
from nsml_shim.client.copying import copy as copy
from nsml_shim.client.hooks import bind as bind
from nsml_shim.client.hooks import infer as infer
from nsml_shim.client.paused import pause as pause
from nsml_shim.client.paused import paused as paused
from nsml_shim.client.plots import Visdom as Visdom
from nsml_shim.client.reports import report as report
