from fft_tool.codec.image_file import decode as decode
from fft_tool.codec.raster import Raster as Raster
from fft_tool.errors import FftToolError as FftToolError
from fft_tool.image.comparison import compare as compare
from fft_tool.image.saliency import saliency_map as saliency_map
from fft_tool.image.sharpness import sharpness as sharpness
from fft_tool.image.statistics import describe as describe
from fft_tool.library import analyze as analyze
from fft_tool.library import apply_operations as apply_operations
from fft_tool.library import magnitude as magnitude
from fft_tool.library import phase as phase
from fft_tool.library import reconstruct as reconstruct
from fft_tool.library import transform as transform
from fft_tool.limits import Limits as Limits
from fft_tool.measures.measure import measure as measure
from fft_tool.measures.peaks import find_peaks as find_peaks
from fft_tool.measures.radial import radial_profile as radial_profile
from fft_tool.pipeline import run as run
from fft_tool.recipe import Recipe as Recipe
from fft_tool.results.outputs import Artifact as Artifact
from fft_tool.results.outputs import Outputs as Outputs
from fft_tool.results.outputs import Source as Source
from fft_tool.spectrum.filtering import apply_filter as apply_filter
from fft_tool.spectrum.half import Spectrum as Spectrum
from fft_tool.spectrum.transform import inverse as inverse

__version__: str
