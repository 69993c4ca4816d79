"""In the place of Synapse's build system while its source is downloaded: pip wants name and version before it hands a source
over, and maturin would ask for a Rust toolchain to tell them."""

import os
import pathlib


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    folder = pathlib.Path(metadata_directory, "matrix_synapse.dist-info")
    folder.mkdir()
    folder.joinpath("METADATA").write_text(
        f"Metadata-Version: 2.1\nName: matrix-synapse\nVersion: {os.environ['SYNAPSE']}\n"
    )
    return folder.name
