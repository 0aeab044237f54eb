"""What a sequence would do to somebody or to many, told before anything is sent; reads only, and writes nothing."""
