#include "config/check.hpp"

#include <vector>

#include "base/text.hpp"
#include "config/decode.hpp"

namespace vigil::config {
namespace {

class Check {
  public:
    Check(Reporter& reporter, SourceId source, Scope scope, const std::string& where)
        : reporter_(reporter), source_(source), scope_(scope), where_(where) {}

    void section(std::string_view path, const json::Value& value) {
        const json::Object* members = value.as_object();
        if (members == nullptr) {
            report(value.place, path, wrong_type("an object", value));
            return;
        }
        for (const json::Member& member : *members)
            if (!is_free_key(member.key)) this->member(path, member);
    }

  private:
    void member(std::string_view section_path, const json::Member& member) {
        const std::string path =
            section_path.empty() ? member.key : std::string(section_path) + "." + member.key;
        // A dot in a key would otherwise reach into a section from outside.
        const bool dotted = member.key.find('.') != std::string::npos;
        const Key* key = dotted ? nullptr : find_key(scope_, path);
        if (key == nullptr) return unknown(section_path, path, member);
        if (key->nullable && member.value.is_null()) return;
        if (key->kind == Kind::section) {
            if (scope_ != Scope::file) section(path, member.value);
            return;
        }
        Faults faults;
        check_value(*key, member.value, faults);
        for (Fault& fault : faults) report(fault.place, path + fault.member, std::move(fault.message));
    }

    void unknown(std::string_view section_path, const std::string& path, const json::Member& member) {
        std::vector<std::string_view> known;
        for (const Key* key : members_of(scope_, section_path)) known.push_back(last_part(key->path));
        std::string hint = suggestion(member.key, known);
        if (hint.empty()) hint = elsewhere(member.key);
        report(member.place, escape_for_display(path), "unknown key" + hint);
    }

    /// Where the key stands, if it is right but in the wrong object.
    [[nodiscard]] std::string elsewhere(std::string_view name) const {
        for (const Key& key : keys())
            if (key.scope == scope_ && key.kind != Kind::section && last_part(key.path) == name)
                return "; did you mean \"" + std::string(key.path) + "\"?";
        return {};
    }

    void report(const json::Place& place, std::string_view path, std::string message) {
        std::string full = where_ + std::string(path);
        if (full.ends_with('.')) full.pop_back();
        reporter_.report(source_, place, full.empty() ? std::move(message) : full + ": " + message);
    }

    Reporter& reporter_;
    SourceId source_;
    Scope scope_;
    const std::string& where_;
};

}  // namespace

void check_section(Reporter& reporter, SourceId source, Scope scope, std::string_view section,
                   const json::Value& value, const std::string& where) {
    Check(reporter, source, scope, where).section(section, value);
}

}  // namespace vigil::config
