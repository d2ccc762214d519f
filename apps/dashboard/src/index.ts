export { ActionLogs } from './action-logs';
export { BusLogs } from './bus-logs';
export { DashboardConfig } from './dashboard.config';
export type { DashboardPorts } from './dashboard-ports';
export { listenOn } from './listen-on';
export { startDashboard } from './start-dashboard';
export type { RunningDashboard } from './start-dashboard';
export type { OutputLine } from './wire';
