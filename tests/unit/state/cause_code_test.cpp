#include "state/cause_code.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <set>
#include <string>

#include "unit/state/samples.hpp"

namespace vigil::state::test {
namespace {

using core::Cause;
namespace cause = core::cause;

Cause round_trip(const Cause& cause) {
    const CauseCode code = encode_cause(cause);
    CHECK(code.body.bytes().size() <= kCauseSize);
    return decode_cause(code.body.bytes(), code.text);
}

TEST_CASE("every cause is read as it was written") {
    std::set<std::size_t> kinds;
    for (const Cause& cause : every_cause()) {
        CAPTURE(describe(cause));
        CHECK(describe(round_trip(cause)) == describe(cause));
        kinds.insert(cause.kind.index());
    }
    CHECK(kinds.size() == std::variant_size_v<Cause::Kind>);
}

TEST_CASE("a last cause that itself has a last cause keeps its attempts and no more") {
    const auto last = [](Cause of) { return std::make_shared<const Cause>(std::move(of)); };
    const Cause deep{cause::AttemptsExhausted{
        3, last({cause::AttemptsExhausted{2, last({cause::Dependency{"database"}})}})}};
    const Cause flat{cause::AttemptsExhausted{3, last({cause::AttemptsExhausted{2, nullptr}})}};
    CHECK(describe(round_trip(deep)) == describe(flat));
}

TEST_CASE("a cause that only a later version knows is none") {
    const std::uint8_t later[] = {200, 1, 2, 3};
    CHECK(describe(decode_cause(later, "text")) == describe(Cause{}));
}

TEST_CASE("a stage of a start that only a later version knows is still a failed start") {
    const std::uint8_t later[] = {7, 99, 13, 0, 0, 0};
    const Cause read = decode_cause(later, "why");
    const auto* spawn = std::get_if<cause::SpawnFailed>(&read.kind);
    REQUIRE(spawn != nullptr);
    CHECK(spawn->failure.error == 13);
    CHECK(spawn->failure.detail == "why");
}

TEST_CASE("a cause is read from as many of its numbers as there are") {
    for (const Cause& cause : every_cause()) {
        const CauseCode code = encode_cause(cause);
        for (std::size_t size = 0; size < code.body.bytes().size(); ++size)
            CHECK_NOTHROW((void)explain(decode_cause(code.body.bytes().first(size), code.text)));
    }
}

}  // namespace
}  // namespace vigil::state::test
