/** The version that the servers for agents name: that of the package. */
export const SERVER_VERSION = '0.1.0';
