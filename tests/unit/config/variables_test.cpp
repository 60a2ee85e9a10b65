#include "config/variables.hpp"

#include "support.hpp"

using namespace vigil;
using namespace vigil::config;

namespace {

std::string expanded(std::string_view value) {
    return expand_variables(value, [](std::string_view name) -> std::optional<std::string> {
        if (name == "HOME") return "/root";
        if (name == "EMPTY") return "";
        if (name == "TRICK") return "${HOME}";
        return std::nullopt;
    });
}

}  // namespace

TEST_CASE("variables are replaced by what they hold") {
    CHECK(expanded("${HOME}/bin:${HOME}") == "/root/bin:/root");
    CHECK(expanded("plain") == "plain");
    CHECK(expanded("") == "");
}

TEST_CASE("a variable that is not set is empty, or its default") {
    CHECK(expanded("[${NONE}]") == "[]");
    CHECK(expanded("${NONE:-x y}") == "x y");
    CHECK(expanded("${EMPTY:-x}") == "x");
    CHECK(expanded("[${EMPTY}]") == "[]");
    CHECK(expanded("${HOME:-x}") == "/root");
    CHECK(expanded("${NONE:-}") == "");
    CHECK(expanded("${NONE:-a:-b}") == "a:-b");
}

TEST_CASE("a dollar sign that begins no reference stands for itself") {
    CHECK(expanded("$HOME $5 $$ $") == "$HOME $5 $$ $");
    CHECK(expanded("$${HOME}") == "${HOME}");
    CHECK(expanded("$$${HOME}") == "$${HOME}");
}

TEST_CASE("what is put in is not searched again") {
    CHECK(expanded("${TRICK}") == "${HOME}");
}

TEST_CASE("faulty references are found with their place") {
    CHECK_FALSE(check_variables("${A} ${B:-c} $${ $ $x"));
    CHECK(check_variables("ab${")->offset == 2);
    CHECK(check_variables("${A")->offset == 0);
    CHECK(check_variables("$${ ${}")->offset == 4);
    CHECK(check_variables("${1A}"));
    CHECK(check_variables("${A-x}"));
    CHECK(check_variables("${A B}"));
    CHECK(check_variables("${A:-${B}}"));
    CHECK(check_variables("$${${"));
}

TEST_CASE("a fault stays as it is when it is expanded all the same") {
    CHECK(expanded("${ x ${HOME}") == "${ x /root");
}
