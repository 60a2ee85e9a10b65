// Layer protocol, internal. One value after the other of a request's parameters.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/time.hpp"
#include "json/value.hpp"
#include "protocol/methods.hpp"

namespace vigil::protocol {

/// The parameters of one call. The first fault is kept; what is read after it has no meaning.
class ParamsReader {
  public:
    ParamsReader(const MethodInfo& method, const json::Value* given) : method_(method), given_(given) {}

    /// Checks the names, both ways, before any value is looked at.
    void check_names();

    void read(std::string_view name, std::string& to);
    void read(std::string_view name, std::optional<std::string>& to);
    void read(std::string_view name, Patterns& to);
    void read(std::string_view name, bool& to);
    void read(std::string_view name, std::optional<core::Duration>& to);
    void read(std::string_view name, params::TaskWait::For& to);
    void read(std::string_view name, StatusFields& to);
    void read_signal(std::string_view name, int& to);
    void read_object(std::string_view name, const json::Value*& to);

    [[nodiscard]] std::optional<RpcError>& fault() noexcept { return fault_; }

  private:
    /// The value, unless it is absent or null: null means "not given" for every parameter.
    [[nodiscard]] const json::Value* find(std::string_view name) const;
    void fail(std::string message);
    void expected(std::string_view name, std::string_view what, const json::Value& found);
    void take_pattern(std::string_view name, const json::Value& value, Patterns& to);
    [[nodiscard]] std::string unknown(const std::string& name) const;

    const MethodInfo& method_;
    const json::Value* given_;
    std::optional<RpcError> fault_;
};

}  // namespace vigil::protocol
