#include "config/env_file.hpp"

#include <algorithm>
#include <unordered_map>

#include "config/variables.hpp"

namespace vigil::config {
namespace {

constexpr std::string_view kBlanks = " \t";

std::string_view trimmed(std::string_view text) noexcept {
    const std::size_t begin = text.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

struct QuotedValue {
    std::string value;
    std::string_view after;  ///< the rest of the line behind the closing quote
    bool closed = false;
};

QuotedValue read_quoted(std::string_view text) {
    const char quote = text[0];
    QuotedValue out;
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == quote) {
            out.after = trimmed(text.substr(i + 1));
            out.closed = true;
            return out;
        }
        const bool escape = quote == '"' && text[i] == '\\' && i + 1 < text.size() &&
                            std::string_view("\\\"$nt").find(text[i + 1]) != std::string_view::npos;
        if (escape) {
            ++i;
            out.value.push_back(text[i] == 'n' ? '\n' : text[i] == 't' ? '\t' : text[i]);
        } else {
            out.value.push_back(text[i]);
        }
    }
    return out;
}

struct Pairs {
    std::vector<std::pair<std::string, std::string>> list;
    std::unordered_map<std::string, std::size_t> index;  // name -> place in the list

    void set(std::string_view name, std::string value) {
        const auto [known, added] = index.emplace(std::string(name), list.size());
        if (added)
            list.emplace_back(std::string(name), std::move(value));
        else
            list[known->second].second = std::move(value);
    }
};

/// The message of what is wrong with the line; empty when it was added to `pairs` or says nothing.
std::string read_line(std::string_view line, Pairs& pairs) {
    if (line.find('\0') != std::string_view::npos) return "the line holds a NUL byte";
    line = trimmed(line);
    if (line.empty() || line[0] == '#') return {};
    if (line.starts_with("export") && line.size() > 6 && kBlanks.find(line[6]) != std::string_view::npos)
        line = trimmed(line.substr(7));
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) return "there is no '='; write NAME=VALUE";
    const std::string_view name = line.substr(0, equals);
    if (!is_variable_name(name))
        return "before the '=' stands no variable name (letters, digits and '_', not beginning with a digit)";
    const std::string_view raw = trimmed(line.substr(equals + 1));
    std::string value(raw);
    if (!raw.empty() && (raw[0] == '"' || raw[0] == '\'')) {
        QuotedValue quoted = read_quoted(raw);
        if (!quoted.closed) return "the quote of the value is not closed on its line";
        if (!quoted.after.empty() && quoted.after[0] != '#') return "something follows the closing quote";
        value = std::move(quoted.value);
    }
    pairs.set(name, std::move(value));
    return {};
}

}  // namespace

Result<std::vector<std::pair<std::string, std::string>>, std::vector<EnvFileFault>> parse_env_file(
    std::string_view text) {
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    Pairs pairs;
    std::vector<EnvFileFault> faults;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (std::string fault = read_line(line, pairs); !fault.empty())
            faults.push_back({number, std::move(fault)});
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    if (!faults.empty()) return Failure{std::move(faults)};
    return std::move(pairs.list);
}

}  // namespace vigil::config
