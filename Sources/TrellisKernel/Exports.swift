// A plugin writes SQL with `import TrellisKernel` alone.
@_exported import GRDB
@_exported public import Logging
