// A client of vigild's control socket, in the fewest steps: what it costs is in what is measured.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/unique_fd.hpp"

namespace vigil::bench {

class Control {
  public:
    /// Connects; gives up where nobody listens.
    explicit Control(const std::string& socket);
    /// Whether there is somebody to connect to.
    static bool listening(const std::string& socket);

    /// The result of a request; gives up on an error.
    nlohmann::json call(const std::string& method, const nlohmann::json& params = nlohmann::json::object());

    /// The two halves of that: what was read of the answer is its text.
    void send(const std::string& method, const nlohmann::json& params = nlohmann::json::object());
    std::string receive();

  private:
    UniqueFd socket_;
};

}  // namespace vigil::bench
