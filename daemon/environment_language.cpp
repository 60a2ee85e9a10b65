#include "environment_language.hpp"

#include <fmt/format.h>

#include "config/env_file.hpp"
#include "config/variables.hpp"

namespace vigil::daemon {

os::EnvironmentLanguage environment_language() {
    os::EnvironmentLanguage language;
    language.parse_file = [](std::string_view text) -> Result<os::Environment, std::string> {
        auto parsed = config::parse_env_file(text);
        if (parsed) return std::move(parsed).value();
        const config::EnvFileFault& fault = parsed.error().front();
        return Failure{fmt::format("line {}: {}", fault.line, fault.message)};
    };
    language.expand = [](std::string_view value,
                         const os::VariableLookup& lookup) -> Result<std::string, std::string> {
        if (const auto fault = config::check_variables(value)) return Failure{fault->message};
        return config::expand_variables(value, [&](std::string_view name) -> std::optional<std::string> {
            const auto found = lookup(name);
            return found ? std::optional<std::string>(*found) : std::nullopt;
        });
    };
    return language;
}

}  // namespace vigil::daemon
