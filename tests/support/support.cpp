// Anchors the library that all test binaries share.
namespace holdfast::testing {
void anchor() {}
} // namespace holdfast::testing
