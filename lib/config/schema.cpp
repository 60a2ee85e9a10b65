#include <string>

#include "config/config.hpp"
#include "config/documentation.hpp"
#include "config/keys.hpp"
#include "config/schema_types.hpp"
#include "json/writer.hpp"

namespace vigil::config {
namespace {

void write_section(json::Writer& out, Scope scope, std::string_view path);

void write_free_keys(json::Writer& out) {
    out.key("patternProperties").begin_object().member("^x-", true).end_object();
    out.member("additionalProperties", false);
}

void write_tasks(json::Writer& out) {
    out.member("type", "object").member("maxProperties", kMaxTasks);
    out.key("propertyNames")
        .begin_object()
        .member("pattern", "^[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}$")
        .end_object();
    out.key("additionalProperties").begin_object().member("$ref", "#/$defs/task");
    out.key("required").begin_array().value("command").end_array().end_object();
}

/// What may stand after a key of the table.
void write_value(json::Writer& out, const Key& key) {
    if (key.kind == Kind::tasks)
        write_tasks(out);
    else if (key.kind != Kind::section)
        write_schema_of(out, key);
    else if (key.scope != Scope::file)
        write_section(out, key.scope, key.path);
    else if (key.path == "daemon")
        write_section(out, Scope::daemon, {});
    else
        out.member("$ref", "#/$defs/task")
            .key("properties")
            .begin_object()
            .member("command", false)
            .end_object();
}

void write_key(json::Writer& out, const Key& key) {
    out.key(last_part(key.path)).begin_object().member("description", key.text);
    if (!key.fallback.empty()) out.key("default").raw(key.fallback);
    if (key.nullable) {
        out.key("anyOf").begin_array().begin_object().member("type", "null").end_object().begin_object();
        write_value(out, key);
        out.end_object().end_array();
    } else {
        write_value(out, key);
    }
    out.end_object();
}

void write_section(json::Writer& out, Scope scope, std::string_view path) {
    out.member("type", "object").key("properties").begin_object().member("$schema", true);
    for (const Key* key : members_of(scope, path)) write_key(out, *key);
    out.end_object();
    write_free_keys(out);
}

}  // namespace

std::string schema() {
    std::string text;
    json::Writer out(text, json::Style::pretty);
    out.begin_object().member("$schema", "https://json-schema.org/draft/2020-12/schema");
    out.member("title", "Configuration of vigild");
    write_section(out, Scope::file, {});
    out.key("$defs").begin_object().key("task").begin_object();
    write_section(out, Scope::task, {});
    out.end_object();
    write_schema_definitions(out);
    out.end_object().end_object();
    return text + "\n";
}

}  // namespace vigil::config
