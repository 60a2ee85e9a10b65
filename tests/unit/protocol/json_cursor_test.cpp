#include "protocol/json_cursor.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

using vigil::protocol::JsonCursor;

namespace {

std::string text_of(std::string_view json) {
    JsonCursor in(json);
    std::string text;
    in.read(text);
    in.expect_end();
    return in.ok() ? text : "<" + in.error() + ">";
}

template <typename T>
bool refuses(std::string_view json) {
    JsonCursor in(json);
    T value{};
    in.read(value);
    in.expect_end();
    return !in.ok() && !in.error().empty();
}

}  // namespace

TEST_CASE("strings are read with all escapes JSON has") {
    CHECK(text_of(R"("plain é")") == "plain é");
    CHECK(text_of(R"("a\"b\\c\/d\b\f\n\r\t")") == "a\"b\\c/d\b\f\n\r\t");
    CHECK(text_of(R"("\u0041\u00e9\u20ac\ud83d\ude00")") == "Aé€😀");
    for (const char* json : {R"("\x")", R"("\u12")", R"("\ud800")", R"("\ud800\u0041")", R"("\udc00")",
                             "\"open", "\"a\\", "7"}) {
        CAPTURE(json);
        CHECK(refuses<std::string>(json));
    }
}

TEST_CASE("a string of any length ends at its own quote, wherever escapes stand in it") {
    for (std::size_t length = 0; length < 40; ++length)
        for (std::size_t escape = 0; escape <= length; ++escape)
            for (const std::string_view escaped : {R"(\")", R"(\\)"}) {
                const std::string before(escape, 'a');
                const std::string after(length - escape, 'b');
                const std::string json = '"' + before + std::string(escaped) + after + '"';
                CAPTURE(json);
                CHECK(text_of(json) == before + escaped.back() + after);
                JsonCursor in(json);
                CHECK(in.skip() == json);
                // Broken off anywhere it is none.
                for (std::size_t cut = 1; cut < json.size(); ++cut) {
                    JsonCursor torn(std::string_view(json).substr(0, cut));
                    (void)torn.skip();
                    CHECK(!torn.ok());
                }
            }
}

TEST_CASE("integers are read where they fit and nowhere else") {
    JsonCursor in(" -12 ");
    int number = 0;
    in.read(number);
    in.expect_end();
    CHECK(in.ok());
    CHECK(number == -12);
    for (const char* json : {"1.0", "1e3", "", "x", "9223372036854775808", "\"1\"", "-", "true"}) {
        CAPTURE(json);
        CHECK(refuses<std::int64_t>(json));
    }
    CHECK(refuses<std::uint8_t>("256"));
    CHECK(refuses<std::uint64_t>("-1"));
    CHECK(refuses<bool>("tru"));
}

TEST_CASE("a value of any type is skipped whole") {
    for (const char* json :
         {"1", "\"a}\\\"]\"", "{}", "[]", R"({"a":[1,{"b":"]"}],"c":null})", "true", "-1.5e-7"}) {
        const std::string list = "[" + std::string(json) + ",5]";
        JsonCursor in(list);
        int five = 0;
        REQUIRE(in.enter_array());
        REQUIRE(in.next_element());
        CHECK(in.skip() == json);
        REQUIRE(in.next_element());
        in.read(five);
        CHECK(five == 5);
        CHECK(!in.next_element());
        in.expect_end();
        CHECK(in.ok());
    }
}

TEST_CASE("after a violation nothing is given any more, and the error says where it was") {
    JsonCursor in(R"({"a":"x","b":2})");
    int a = 0;
    int b = 7;
    REQUIRE(in.enter_object());
    CHECK(in.next_member() == "a");
    in.read(a);
    CHECK(!in.ok());
    CHECK(in.error() == "an integer was expected at byte 5");
    CHECK(!in.next_member());
    in.read(b);
    CHECK(b == 7);
}

TEST_CASE("nasty 65: random text never leads beyond its end") {
    const std::string real = R"({"a":[1,-2,"x\u00e9"],"b":{"c":null,"d":true}})";
    std::mt19937 random(11);
    for (int round = 0; round < 20'000; ++round) {
        std::string text = real.substr(0, random() % (real.size() + 1));
        if (!text.empty()) text[random() % text.size()] = real[random() % real.size()];
        // A heap copy of the exact size lets a sanitizer see one byte too much.
        const std::vector<char> exact(text.begin(), text.end());
        JsonCursor in(std::string_view(exact.data(), exact.size()));
        (void)in.skip();
        in.expect_end();
        (void)text_of(std::string_view(exact.data(), exact.size()));
    }
}
