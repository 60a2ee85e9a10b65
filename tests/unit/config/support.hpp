// Support for the tests of lib/config: files that exist only in memory, and short ways to a spec or to its
// problems.
#pragma once

#include <doctest/doctest.h>

#include <cerrno>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/glob.hpp"
#include "config/config.hpp"
#include "json/parse.hpp"

namespace vigil::config {

class MemoryFiles : public Files {
  public:
    std::map<std::string, std::string> texts;

    Result<std::string, Error> read(const std::string& path) override {
        reads.push_back(path);
        const auto found = texts.find(path);
        if (found == texts.end()) return Failure{Error{"opening " + path, ENOENT}};
        return found->second;
    }
    Result<std::vector<std::string>, Error> expand(const std::string& directory,
                                                   const std::string& pattern) override {
        if (pattern == "unreadable/*")
            return Failure{Error{"looking for files that match " + pattern, EACCES}};
        const std::string whole = pattern.starts_with('/') ? pattern : directory + "/" + pattern;
        if (!is_glob(pattern)) return std::vector<std::string>{whole};
        std::vector<std::string> paths;
        for (auto text = texts.rbegin(); text != texts.rend(); ++text)
            if (Glob(whole).matches(text->first)) paths.push_back(text->first);
        return paths;
    }

    std::vector<std::string> reads;
};

inline constexpr const char* kMain = "/etc/vigil.json";

inline Result<Config, std::vector<Problem>> load_text(const std::string& text) {
    MemoryFiles files;
    files.texts[kMain] = text;
    return load(files, kMain);
}

/// "line:column: message" of each problem, a line each; empty where there is none.
inline std::string briefly(const std::vector<Problem>& problems) {
    std::string out;
    for (const Problem& problem : problems)
        out += std::to_string(problem.place.line) + ":" + std::to_string(problem.place.column) + ": " +
               problem.message + "\n";
    return out;
}

inline std::string problems_of(const std::string& text) {
    const auto config = load_text(text);
    return config ? std::string() : briefly(config.error());
}

inline Config loaded(const std::string& text) {
    auto config = load_text(text);
    REQUIRE_MESSAGE(config.ok(), problems_of(text));
    return std::move(config).value();
}

inline json::Value tree(std::string_view text) {
    auto document = json::parse(text);
    REQUIRE_MESSAGE(document.ok(), std::string(text));
    return std::move(document->root);
}

/// The problems of one task's object without defaults.
inline std::string task_problems(const std::string& object) {
    const auto spec = parse_task(tree(object), "t", {}, "request");
    return spec ? std::string() : briefly(spec.error());
}

/// A task whose object is `{"command": ["x"], MEMBERS}`.
inline core::TaskSpec task(const std::string& members = {}, const std::string& defaults = {}) {
    TaskDefaults below;
    if (!defaults.empty()) below.object = std::make_shared<const json::Value>(tree(defaults));
    const std::string object = "{\"command\": [\"x\"]" + (members.empty() ? "" : ", " + members) + "}";
    const auto spec = parse_task(tree(object), "t", below, "request");
    REQUIRE_MESSAGE(spec.ok(), briefly(spec.ok() ? std::vector<Problem>{} : spec.error()));
    return **spec;
}

inline std::string member_problems(const std::string& members) {
    return task_problems("{\"command\": [\"x\"], " + members + "}");
}

inline bool mentions(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

}  // namespace vigil::config
