export default ({ byteLength }) => byteLength;
