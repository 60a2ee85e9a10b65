#include "base/result.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <memory>
#include <string>
#include <type_traits>

using vigil::Error;
using vigil::Failure;
using vigil::Result;

namespace {

Result<int> half(int number) {
    if (number % 2 != 0) return Failure{Error{"halving an odd number", EINVAL}};
    return number / 2;
}

Result<void, std::string> accept(bool yes) {
    if (!yes) return Failure{std::string("refused")};
    return {};
}

}  // namespace

TEST_CASE("a Result holds the value or the error") {
    CHECK(half(4).ok());
    CHECK(half(4).value() == 2);
    CHECK(*half(4) == 2);
    const Result<int> odd = half(3);
    CHECK_FALSE(odd);
    CHECK(odd.error().code == EINVAL);
}

TEST_CASE("a Result of void is success unless a Failure made it") {
    CHECK(accept(true));
    const auto refused = accept(false);
    CHECK_FALSE(refused.ok());
    CHECK(refused.error() == "refused");
}

TEST_CASE("a Result whose value and error are of one type keeps the sides apart") {
    const Result<std::string, std::string> good = std::string("text");
    const Result<std::string, std::string> bad = Failure{std::string("text")};
    CHECK(good.ok());
    CHECK_FALSE(bad.ok());
}

TEST_CASE("a Result hands a move-only value out") {
    Result<std::unique_ptr<int>> made = std::make_unique<int>(7);
    const std::unique_ptr<int> taken = std::move(made).value();
    REQUIRE(taken);
    CHECK(*taken == 7);
    static_assert(!std::is_copy_constructible_v<Result<std::unique_ptr<int>>>);
}

TEST_CASE("a Result's value can be changed in place") {
    Result<std::string> text = std::string("a");
    text->append("b");
    text.value().append("c");
    CHECK(*text == "abc");
}

TEST_CASE("a Failure converts to the error type, also from what the error type is made of") {
    const Result<int, std::string> failed = Failure{"literal"};
    CHECK(failed.error() == "literal");
}
