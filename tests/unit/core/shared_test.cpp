#include "core/shared.hpp"

#include <doctest/doctest.h>

#include <string>

using vigil::core::Shared;

TEST_CASE("what is shared is changed for one and stays for the others") {
    Shared<std::string> first(std::string("first"));
    Shared<std::string> second = first;
    CHECK(second.is_one_with(first));
    second.edit() += " and second";
    CHECK(*first == "first");
    CHECK(*second == "first and second");
    CHECK_FALSE(second.is_one_with(first));
    const std::string* alone = &*second;
    second.edit() += "!";
    CHECK(&*second == alone);
}

TEST_CASE("default values are held once, and stay what they are when one of them is changed") {
    Shared<std::string> one;
    const Shared<std::string> other;
    CHECK(one.is_one_with(other));
    one.edit() = "changed";
    CHECK(other->empty());
    CHECK(Shared<std::string>()->empty());
}

TEST_CASE("equal values can be made one, others cannot") {
    Shared<std::string> one(std::string("same"));
    const Shared<std::string> equal(std::string("same"));
    CHECK(one == equal);
    CHECK_FALSE(one.is_one_with(equal));
    CHECK(one.join(equal));
    CHECK(one.is_one_with(equal));
    CHECK_FALSE(one.join(Shared<std::string>(std::string("other"))));
    CHECK(*one == "same");
}

TEST_CASE("to watch a value does not hold it") {
    Shared<std::string>::Watched watched;
    CHECK_FALSE(watched.lock());
    {
        const Shared<std::string> value(std::string("there"));
        watched = value.watch();
        REQUIRE(watched.lock());
        CHECK(watched.lock()->is_one_with(value));
    }
    CHECK_FALSE(watched.lock());
}
