// Other supervisors behind the face that all show. Each is told to restart at once and without end, as far as
// it can be told; its workers are started without a shell between.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rig/supervisor.hpp"

namespace vigil::bench {

struct Peer {
    std::string_view name;
    /// Whether it can be measured on this machine.
    std::function<bool()> installed;
    std::function<std::unique_ptr<Supervisor>()> make;
};

/// s6, runit, supervisor, systemd, dinit.
const std::vector<Peer>& peers();

std::unique_ptr<Supervisor> make_s6();
std::unique_ptr<Supervisor> make_runit();
std::unique_ptr<Supervisor> make_supervisord();
/// Of the machine that this program runs in, whose process 1 must be a systemd that nobody needs.
std::unique_ptr<Supervisor> make_systemd();
/// The program that the variable DINIT names, and the dinitctl beside it.
std::unique_ptr<Supervisor> make_dinit();

}  // namespace vigil::bench
