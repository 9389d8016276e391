"""Do it: one function per operation. Plain arguments and a Context, so that everything else can call the same."""
