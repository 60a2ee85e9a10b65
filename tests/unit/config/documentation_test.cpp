// The texts for editors and readers say of every key what the table says.
#include "config/documentation.hpp"

#include <algorithm>
#include <string>

#include "config/keys.hpp"
#include "support.hpp"

namespace vigil::config {
namespace {

/// The schema of the object that a scope's keys start from.
const json::Value* scope_of(const json::Value& root, Scope scope) {
    const json::Value* properties = root.find("properties");
    if (scope == Scope::file) return &root;
    if (scope == Scope::daemon) return properties->find("daemon");
    const json::Value* definitions = root.find("$defs");
    return definitions == nullptr ? nullptr : definitions->find("task");
}

/// The members of an object that may be null as well are in the second of its alternatives.
const json::Value* properties_of(const json::Value& object) {
    const json::Value* alternatives = object.find("anyOf");
    return alternatives == nullptr ? object.find("properties")
                                   : alternatives->as_array()->at(1).find("properties");
}

const json::Value* member_of(const json::Value* object, std::string_view path) {
    while (object != nullptr && !path.empty()) {
        const std::size_t dot = std::min(path.find('.'), path.size());
        const json::Value* properties = properties_of(*object);
        object = properties == nullptr ? nullptr : properties->find(path.substr(0, dot));
        path.remove_prefix(std::min(dot + 1, path.size()));
    }
    return object;
}

TEST_CASE("the schema describes every key where it stands, with its text and its default") {
    const json::Value root = tree(schema());
    for (const Key& key : keys()) {
        CAPTURE(std::string(key.path));
        const json::Value* found = member_of(scope_of(root, key.scope), key.path);
        REQUIRE(found != nullptr);
        const json::Value* text = found->find("description");
        REQUIRE(text != nullptr);
        CHECK(mentions(*text->as_string(), key.text));
        if (!key.fallback.empty()) CHECK(found->find("default") != nullptr);
        for (const std::string_view word : key.words)
            CHECK(mentions(schema(), "\"" + std::string(word) + "\""));
    }
}

TEST_CASE("the schema lets nothing stand in a task that the parser would refuse as unknown") {
    const json::Value root = tree(schema());
    for (const Scope scope : {Scope::file, Scope::daemon, Scope::task}) {
        const json::Value* closed = scope_of(root, scope)->find("additionalProperties");
        REQUIRE(closed != nullptr);
        CHECK(closed->as_bool() != nullptr);
        CHECK(*closed->as_bool() == false);
    }
}

TEST_CASE("the reference names every key with its text, and tells what a change needs") {
    const std::string text = reference();
    for (const Key& key : keys()) {
        CAPTURE(std::string(key.path));
        CHECK(mentions(text, "`" + std::string(key.path) + "`"));
        CHECK(mentions(text, key.text));
    }
    CHECK(change_name(Change::live) == "live");
    CHECK(change_name(Change::task_restart) == "task");
    CHECK(change_name(Change::daemon_restart) == "daemon");
}

}  // namespace
}  // namespace vigil::config
