#include "config/variables.hpp"

#include <algorithm>

namespace vigil::config {
namespace {

bool is_name_start(char c) noexcept {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

bool is_name_part(char c) noexcept {
    return is_name_start(c) || (c >= '0' && c <= '9');
}

/// The reference that begins with the "${" at the start of `text`.
struct Reference {
    std::string_view name;
    std::optional<std::string_view> fallback;
    std::size_t length = 0;  ///< in the text; 0 where there is a fault
    std::string fault;
};

Reference read_reference(std::string_view text) {
    Reference out;
    const std::size_t close = text.find('}');
    if (close == std::string_view::npos) {
        out.fault = "\"${\" is not closed by \"}\"; write \"$${\" for a \"${\" of its own";
        return out;
    }
    const std::string_view inside = text.substr(2, close - 2);
    const std::size_t colon = inside.find(":-");
    out.name = inside.substr(0, colon);
    if (colon != std::string_view::npos) out.fallback = inside.substr(colon + 2);
    if (!is_variable_name(out.name)) {
        out.fault =
            "\"${\" is followed by no variable name; write \"${NAME}\" or \"${NAME:-default}\", or \"$${\" "
            "for a "
            "\"${\" of its own";
    } else if (out.fallback && out.fallback->find("${") != std::string_view::npos) {
        out.fault = "a default is plain text and cannot hold another \"${\"";
    } else {
        out.length = close + 1;
    }
    return out;
}

}  // namespace

bool is_variable_name(std::string_view name) noexcept {
    return !name.empty() && is_name_start(name[0]) && std::all_of(name.begin(), name.end(), is_name_part);
}

std::optional<VariableFault> check_variables(std::string_view value) {
    for (std::size_t at = value.find('$'); at != std::string_view::npos; at = value.find('$', at)) {
        const std::string_view rest = value.substr(at);
        if (rest.starts_with("$${")) {
            at += 3;
        } else if (rest.starts_with("${")) {
            Reference reference = read_reference(rest);
            if (reference.length == 0) return VariableFault{at, std::move(reference.fault)};
            at += reference.length;
        } else {
            ++at;
        }
    }
    return std::nullopt;
}

std::string expand_variables(std::string_view value, const VariableLookup& lookup) {
    std::string out;
    out.reserve(value.size());
    while (!value.empty()) {
        if (value.starts_with("$${")) {
            out.append("${");
            value.remove_prefix(3);
            continue;
        }
        const Reference reference = value.starts_with("${") ? read_reference(value) : Reference{};
        if (reference.length == 0) {
            out.push_back(value.front());
            value.remove_prefix(1);
            continue;
        }
        const std::optional<std::string> found = lookup(reference.name);
        if (found && (!found->empty() || !reference.fallback))
            out.append(*found);
        else if (reference.fallback)
            out.append(*reference.fallback);
        value.remove_prefix(reference.length);
    }
    return out;
}

}  // namespace vigil::config
