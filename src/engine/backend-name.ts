/** What plugs ports, as an operator names it: `--backend`. */
export const backendNames = ['linuxbridge', 'ovs-hybrid', 'ovs', 'ovn', 'routed'] as const;
export type BackendName = (typeof backendNames)[number];
