// What must hold for every key of the table, whatever keys there are.
#include "config/keys.hpp"

#include <algorithm>
#include <set>

#include "config/decode.hpp"
#include "config/describe.hpp"
#include "config/fields.hpp"
#include "samples.hpp"
#include "support.hpp"

using namespace vigil;
using namespace vigil::config;

TEST_CASE("nasty 57: every key takes what its kind allows, to the ends of its range") {
    for (const Key& key : keys()) {
        for (const std::string& value : samples_of(key).good) {
            if (needs_company(key, value)) continue;
            CAPTURE(key.path);
            CAPTURE(value);
            CHECK(problems_of(configuration(key, value)) == "");
        }
    }
}

TEST_CASE(
    "nasty 57: every key refuses every other type and what is out of range, at the place and by its name") {
    for (const Key& key : keys()) {
        for (const std::string& value : samples_of(key).bad) {
            CAPTURE(key.path);
            CAPTURE(value);
            const std::string problems = problems_of(configuration(key, value));
            CHECK(problems != "");
            CHECK(mentions(problems, last_part(key.path)));
            CHECK_FALSE(problems.starts_with("0:"));
        }
    }
}

TEST_CASE("null is taken where the table says so and nowhere else") {
    for (const Key& key : keys()) {
        CAPTURE(key.path);
        CHECK(problems_of(configuration(key, "null")).empty() == key.nullable);
    }
}

TEST_CASE("every misspelt key gets its right spelling") {
    for (const Key& key : keys()) {
        std::string misspelt(key.path);
        misspelt.back() = misspelt.back() == 'z' ? 'y' : 'z';
        const Key wrong{key.scope, misspelt, key.kind, {}, key.change, {}};
        const std::string problems = problems_of(configuration(wrong, "1"));
        CAPTURE(misspelt);
        CHECK(mentions(problems, "unknown key"));
        if (last_part(key.path).size() > 3)
            CHECK(mentions(problems, std::string(last_part(key.path)) + "\"?"));
    }
}

TEST_CASE("the table is sound: texts end in a full stop, sections come first, nothing is there twice") {
    std::set<std::pair<Scope, std::string_view>> seen;
    for (const Key& key : keys()) {
        CAPTURE(key.path);
        CHECK(seen.emplace(key.scope, key.path).second);
        CHECK(find_key(key.scope, key.path) == &key);
        CHECK(key.text.ends_with('.'));
        CHECK_FALSE(mentions(key.text, "|"));
        CHECK(key.nullable == !key.null_means.empty());
        const std::size_t dot = key.path.rfind('.');
        if (dot != std::string_view::npos) {
            const Key* section = find_key(key.scope, key.path.substr(0, dot));
            REQUIRE(section != nullptr);
            CHECK(section->kind == Kind::section);
            CHECK(section < &key);
        }
    }
}

TEST_CASE("every default is a value that its own key would take") {
    for (const Key& key : keys()) {
        if (key.fallback.empty()) continue;
        CAPTURE(key.path);
        const json::Value value = tree(key.fallback);
        Faults faults;
        if (value.is_null())
            CHECK(key.nullable);
        else
            check_value(key, value, faults);
        CHECK(faults.empty());
    }
}

TEST_CASE("every key that is no section is bound to a member of a spec or of the settings") {
    for (const Key& key : keys()) {
        if (key.kind == Kind::section) continue;
        CAPTURE(key.path);
        const auto same = [&](const auto& field) { return field.path == key.path; };
        if (key.scope == Scope::task)
            CHECK(std::count_if(task_fields().begin(), task_fields().end(), same) == 1);
        if (key.scope == Scope::daemon)
            CHECK(std::count_if(daemon_fields().begin(), daemon_fields().end(), same) == 1);
    }
    for (const TaskField& field : task_fields()) CHECK(find_key(Scope::task, field.path) != nullptr);
    for (const DaemonField& field : daemon_fields()) CHECK(find_key(Scope::daemon, field.path) != nullptr);
}

TEST_CASE("the defaults of the table are those of the plain structs") {
    core::TaskSpec plain;
    plain.command = {"x"};
    CHECK(describe(task(), EnvValues::shown) == describe(plain, EnvValues::shown));
    plain.heartbeat.emplace();
    plain.ready = {core::ReadyOn::heartbeat, plain.heartbeat->initial_delay};
    CHECK(describe(task(R"("heartbeat": {})"), EnvValues::shown) == describe(plain, EnvValues::shown));
    CHECK(loaded("{}").daemon == DaemonSettings{});
}

TEST_CASE("free keys may stand in every object that has keys of its own") {
    CHECK(problems_of(R"({"$schema": 1, "x-a": [], "daemon": {"x-b": 1, "log": {"$schema": 2}},
        "defaults": {"x-c": null}, "tasks": {"t": {"command": ["x"], "x-d": {}, "restart": {"x-e": 1},
        "rlimits": {"x-f": 1, "core": {"soft": 0, "hard": 0, "x-g": 1}}}}})") == "");
}
