#include "config/reader.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/check.hpp"
#include "json/parse.hpp"

namespace vigil::config {
namespace {

/// The defaults of the key table, parsed once.
const json::Value& fallback_of(const Key& key) {
    static const auto parsed = [] {
        std::unordered_map<const Key*, json::Value> values;
        for (const Key& each : keys()) {
            if (each.fallback.empty()) continue;
            auto document = json::parse(each.fallback);
            VIGIL_CHECK(document.ok(), "the defaults of the key table are JSON");
            values.emplace(&each, std::move(document->root));
        }
        return values;
    }();
    static const json::Value none;
    const auto found = parsed.find(&key);
    return found == parsed.end() ? none : found->second;
}

/// Decoding after the check has let the value pass.
template <typename T>
T checked(std::optional<T> decoded) {
    VIGIL_CHECK(decoded.has_value(), "a value that was read has passed the check");
    return std::move(*decoded);
}

}  // namespace

const Key& Reader::key(std::string_view path) const {
    const Key* found = find_key(scope_, path);
    VIGIL_CHECK(found != nullptr, "only keys of the table are read");
    return *found;
}

Reader::Layers Reader::layers(std::string_view path) const {
    Layers at{own_, inherited_};
    while (!path.empty()) {
        // A null above takes the whole object below it away.
        if (at.own != nullptr && at.own->is_null()) return {nullptr, nullptr};
        const std::size_t dot = std::min(path.find('.'), path.size());
        const std::string_view part = path.substr(0, dot);
        at.own = at.own == nullptr ? nullptr : at.own->find(part);
        at.inherited = at.inherited == nullptr ? nullptr : at.inherited->find(part);
        path.remove_prefix(std::min(dot + 1, path.size()));
    }
    return at;
}

bool Reader::has(std::string_view path) const {
    const auto [own, inherited] = layers(path);
    const json::Value* top = own != nullptr ? own : inherited;
    return top != nullptr && !top->is_null();
}

const json::Value* Reader::value(std::string_view path) const {
    const auto [own, inherited] = layers(path);
    const json::Value* top = own != nullptr         ? own
                             : inherited != nullptr ? inherited
                                                    : &fallback_of(key(path));
    return top->is_null() ? nullptr : top;
}

bool Reader::boolean(std::string_view path) const {
    Faults faults;
    return checked(decode_boolean(*value(path), faults));
}

std::optional<std::int64_t> Reader::integer(std::string_view path) const {
    Faults faults;
    const json::Value* found = value(path);
    if (found == nullptr) return std::nullopt;
    return checked(decode_integer(key(path), *found, faults));
}

std::optional<double> Reader::fraction(std::string_view path) const {
    Faults faults;
    const json::Value* found = value(path);
    if (found == nullptr) return std::nullopt;
    return checked(decode_fraction(*found, faults));
}

std::optional<std::chrono::nanoseconds> Reader::duration(std::string_view path) const {
    Faults faults;
    const json::Value* found = value(path);
    if (found == nullptr) return std::nullopt;
    return checked(decode_duration(key(path), *found, faults));
}

std::optional<std::uint64_t> Reader::size(std::string_view path) const {
    Faults faults;
    const json::Value* found = value(path);
    if (found == nullptr) return std::nullopt;
    return checked(decode_size(key(path), *found, faults));
}

std::vector<core::StopStep> Reader::stop_steps(std::string_view path) const {
    Faults faults;
    const json::Value* found = value(path);
    if (found == nullptr) return {};
    return checked(decode_stop_steps(*found, faults));
}

int Reader::signal(std::string_view path) const {
    Faults faults;
    return checked(decode_signal(*value(path), faults));
}

mode_t Reader::mode(std::string_view path) const {
    Faults faults;
    return checked(decode_mode(*value(path), faults));
}

std::optional<std::string> Reader::string(std::string_view path) const {
    Faults faults;
    const json::Value* found = value(path);
    if (found == nullptr) return std::nullopt;
    return checked(decode_string(key(path), *found, faults));
}

std::optional<std::vector<std::string>> Reader::strings(std::string_view path) const {
    Faults faults;
    const json::Value* found = value(path);
    if (found == nullptr) return std::nullopt;
    return checked(decode_strings(key(path), *found, faults));
}

std::vector<int> Reader::exit_codes(std::string_view path) const {
    Faults faults;
    return checked(decode_exit_codes(*value(path), faults));
}

std::optional<std::size_t> Reader::word_index(std::string_view path) const {
    Faults faults;
    const json::Value* found = value(path);
    if (found == nullptr) return std::nullopt;
    return checked(decode_word(key(path), *found, faults));
}

std::vector<std::pair<std::string, std::string>> Reader::environment(std::string_view path) const {
    const auto [own, inherited] = layers(path);
    Faults faults;
    Environment upper;
    if (own != nullptr) upper = checked(decode_environment(*own, faults));
    std::vector<std::pair<std::string, std::string>> merged;
    if (inherited != nullptr) {
        std::unordered_set<std::string_view> replaced;
        for (const auto& variable : upper) replaced.insert(variable.first);
        for (auto& [name, text] : checked(decode_environment(*inherited, faults)))
            if (text && !replaced.contains(name)) merged.emplace_back(std::move(name), std::move(*text));
    }
    for (auto& [name, text] : upper)
        if (text) merged.emplace_back(std::move(name), std::move(*text));
    return merged;
}

std::vector<LimitSides> Reader::rlimits(std::string_view path) const {
    const auto [own, inherited] = layers(path);
    Faults faults;
    std::vector<LimitSides> merged;
    if (inherited != nullptr) merged = checked(decode_rlimits(*inherited, faults));
    if (own == nullptr) return merged;
    for (const LimitSides& upper : checked(decode_rlimits(*own, faults))) {
        const auto lower = std::find_if(merged.begin(), merged.end(), [&](const LimitSides& sides) {
            return sides.resource == upper.resource;
        });
        if (lower == merged.end()) {
            merged.push_back(upper);
            continue;
        }
        if (upper.soft) lower->soft = upper.soft;
        if (upper.hard) lower->hard = upper.hard;
        lower->place = upper.place;
    }
    return merged;
}

}  // namespace vigil::config
