#include "base/function_ref.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>

using vigil::FunctionRef;

namespace {

int call(FunctionRef<int(int)> function, int with) {
    return function(with);
}

}  // namespace

TEST_CASE("a function reference calls what it was made from, and that keeps its state") {
    int sum = 0;
    const auto add = [&sum](int number) { return sum += number; };
    CHECK(call(add, 3) == 3);
    CHECK(call(add, 4) == 7);
    CHECK(call([sum](int number) mutable { return sum += number; }, 1) == 8);
    CHECK(sum == 7);
}

TEST_CASE("a function reference hands on arguments that can only be moved") {
    std::string taken;
    const auto take = [&taken](std::unique_ptr<std::string> text) { taken = *text; };
    const FunctionRef<void(std::unique_ptr<std::string>)> reference = take;
    reference(std::make_unique<std::string>("text"));
    CHECK(taken == "text");
}
