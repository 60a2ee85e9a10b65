// Layer config. ${VAR} in environment values.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace vigil::config {

/// True for ^[A-Za-z_][A-Za-z0-9_]*$.
[[nodiscard]] bool is_variable_name(std::string_view name) noexcept;

/// Gives the value of a variable, or nothing where it is not set.
using VariableLookup = std::function<std::optional<std::string>(std::string_view name)>;

struct VariableFault {
    std::size_t offset;   ///< in the value, of the "${"
    std::string message;  ///< one sentence
};

/// The first error of syntax in `value`, if any. The forms are ${VAR} (empty where not set), ${VAR:-default}
/// (the default where VAR is not set or empty; a literal text up to the next "}"), and $${ for a "${" of its
/// own. Every other "$" stands for itself.
[[nodiscard]] std::optional<VariableFault> check_variables(std::string_view value);

/// Replaces the variables of a value that check_variables accepts; in any other value what is faulty stays as
/// it is. What is put in is not searched again.
[[nodiscard]] std::string expand_variables(std::string_view value, const VariableLookup& lookup);

}  // namespace vigil::config
