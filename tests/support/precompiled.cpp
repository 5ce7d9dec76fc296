// Nothing of its own: the target of this source compiles the header that all tests begin with (tests/CMakeLists.txt).
