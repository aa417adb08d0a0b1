#include <holdfast/runtime/version.hpp>

int main() { return holdfast::version().empty() ? 1 : 0; }
